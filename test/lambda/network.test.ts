import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Network, startNetwork } from "./network.ts";

/** An end of a connection: what it was told, and how it ended. */
interface End {
  readonly socket: Socket;
  text: string;
  ended: "no" | "fin" | "rst";
}

function watch(socket: Socket): End {
  const end: End = { socket, text: "", ended: "no" };
  socket.setEncoding("utf8");
  socket.on("data", (text) => {
    end.text += text;
  });
  socket.on("end", () => {
    end.ended = "fin";
  });
  socket.on("error", () => {
    end.ended = "rst";
  });
  return end;
}

async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error("What was waited for did not come.");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

let network: Network;
let client: End;
let server: End;
const listener = createServer({ allowHalfOpen: true });

/** Opens a second way through the network that no fault lies on; what it has brought to the end, the first would have too. */
async function passAnother(): Promise<void> {
  const accepted = once(listener, "connection");
  const another = dial({ port: network.port, host: network.host });
  const [far] = (await accepted) as [Socket];
  far.on("error", () => {});
  for (const [from, to] of [[another, far] as const, [far, another] as const]) {
    from.write("another");
    await once(to, "data");
  }
  another.destroy();
  far.destroy();
}

beforeEach(async () => {
  if (!listener.listening) await once(listener.listen(0, "127.0.0.1").unref(), "listening");
  const { port } = listener.address() as { readonly port: number };
  network = await startNetwork({ host: "127.0.0.1", port });
  const accepted = once(listener, "connection");
  client = watch(dial({ port: network.port, host: network.host, allowHalfOpen: true }));
  server = watch((await accepted)[0] as Socket);
  client.socket.write("hello");
  await until(() => server.text === "hello");
  server.socket.write("welcome");
  await until(() => client.text === "welcome");
});

afterEach(async () => {
  await network.close();
  client.socket.destroy();
  server.socket.destroy();
});

describe("a network", () => {
  test("passes on what either side says, and its end", async () => {
    client.socket.end("good bye");
    await until(() => server.ended === "fin");
    server.socket.end(", you");
    await until(() => client.ended === "fin");
    expect([server.text, client.text]).toEqual(["hellogood bye", "welcome, you"]);
    await until(() => network.openConnections() === 0);
    expect([network.connections(), network.strikes]).toEqual([1, []]);
  });

  test.each(["fin", "rst"] as const)("ends a connection with %s at once", async (kind) => {
    expect(network.lay({ kind })).toBe(1);
    await until(() => client.ended !== "no" && server.ended !== "no");
    expect(client.ended).toBe(kind);
    expect(network.strikes).toEqual([{ kind, connection: 1 }]);
  });

  test("resets a connection when the client writes, and lets the server hear nothing", async () => {
    network.lay({ kind: "rst-on-write" });
    server.socket.end("you are gone");
    await passAnother();
    expect([client.text, client.ended, network.strikes]).toEqual(["welcome", "no", []]);
    client.socket.write("still there?");
    await until(() => client.ended === "rst");
    expect(server.text).toBe("hello");
    expect(network.strikes).toEqual([{ kind: "rst-on-write", connection: 1 }]);
  });

  test.each(["fin", "rst"] as const)("withholds the server's %s until the client has written", async (kind) => {
    network.lay({ kind: "withhold" });
    if (kind === "fin") server.socket.end("last words");
    else server.socket.resetAndDestroy();
    await passAnother();
    await passAnother();
    expect([client.text, client.ended, network.strikes]).toEqual(["welcome", "no", []]);
    client.socket.write("still there?");
    await until(() => client.ended === kind);
    expect(client.text).toBe(kind === "fin" ? "welcomelast words" : "welcome");
    expect(network.strikes).toEqual([{ kind: "withhold", connection: 1 }]);
  });

  test("passes the write on which nothing was withheld, and its answer", async () => {
    network.lay({ kind: "withhold" });
    client.socket.write("!");
    await until(() => server.text === "hello!");
    server.socket.write("!");
    await until(() => client.text === "welcome!");
    expect(network.strikes).toEqual([]);
  });

  test("swallows what both say, ends too, and leaves connections to come alone", async () => {
    network.lay({ kind: "swallow" });
    client.socket.write("lost");
    server.socket.end("lost");
    await until(() => network.strikes.length === 1);
    await passAnother();
    expect([client.text, client.ended, server.text]).toEqual(["welcome", "no", "hello"]);
    expect(network.strikes).toEqual([{ kind: "swallow", connection: 1 }]);
  });

  test("delays what both say without changing its order", async () => {
    network.lay({ kind: "delay", delayMs: 60 });
    const startedAt = performance.now();
    client.socket.write("1");
    await until(() => network.strikes.length === 1);
    network.lay({ kind: "delay", delayMs: 1 });
    client.socket.end("2");
    await until(() => server.ended === "fin");
    expect(server.text).toBe("hello12");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(59);
  });

  test("lets what the server says next drip a byte at a time, and what follows behind it", async () => {
    network.lay({ kind: "drip", delayMs: 5 });
    const startedAt = performance.now();
    const pieces: string[] = [];
    client.socket.on("data", (text) => pieces.push(String(text)));
    server.socket.write("slowly");
    await until(() => network.strikes.length === 1);
    server.socket.end(", on");
    await until(() => client.ended === "fin");
    expect(client.text).toBe("welcomeslowly, on");
    expect(pieces.length).toBeGreaterThan(1);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(9);
    expect(network.strikes).toEqual([{ kind: "drip", connection: 1 }]);
  });

  test("resets the connections on which a fault lies, and no other", async () => {
    network.reset("swallow");
    network.lay({ kind: "swallow" });
    await passAnother();
    expect([client.ended, server.ended]).toEqual(["no", "no"]);
    network.reset("swallow");
    await until(() => client.ended === "rst" && server.ended === "rst");
  });

  test("refuses new connections until it admits them again on the same port, and leaves open ones alone", async () => {
    network.refuse();
    const refused = watch(dial({ port: network.port, host: network.host }));
    await until(() => refused.ended === "rst");
    client.socket.write("!");
    await until(() => server.text === "hello!");
    expect(network.connections()).toBe(1);
    await network.admit();
    await passAnother();
    expect(network.connections()).toBe(2);
  });

  test.each(["client", "server"] as const)("cuts a connection after so many bytes of the %s", async (from) => {
    network.lay({ kind: "cut-after", bytes: 4, from });
    const [speaker, reader] = from === "client" ? [client, server] : [server, client];
    const before = reader.text;
    speaker.socket.write("abc");
    await until(() => reader.text === `${before}abc`);
    speaker.socket.write("def");
    await until(() => reader.ended !== "no" && speaker.ended !== "no");
    expect(reader.text).toBe(`${before}abcd`);
    expect([reader.ended, speaker.ended]).toEqual(["fin", "rst"]);
    expect(network.strikes).toEqual([{ kind: "cut-after", connection: 1 }]);
  });

  test("resets the client when nobody listens at the other end", async () => {
    await using nowhere = await startNetwork({ host: "127.0.0.1", port: 1 });
    const lost = watch(dial({ port: nowhere.port, host: nowhere.host }));
    await until(() => lost.ended === "rst");
  });
});
