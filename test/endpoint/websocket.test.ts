import { once } from "node:events";
import { describe, expect, inject, test } from "vitest";
import { WebSocket } from "ws";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { eventually, useEndpoint } from "./local-endpoint.ts";

const { running, query } = useEndpoint();

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

function startupMessage(parameters: Readonly<Record<string, string>>, protocol = 196_608): Buffer {
  const pairs = Buffer.from(`${Object.entries(parameters).flat().join("\0")}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + pairs.length, 0);
  head.writeInt32BE(protocol, 4);
  return Buffer.concat([head, pairs]);
}

function passwordMessage(password: string): Buffer {
  const text = Buffer.from(`${password}\0`);
  const head = Buffer.from("p\0\0\0\0");
  head.writeInt32BE(4 + text.length, 1);
  return Buffer.concat([head, text]);
}

/** A WebSocket to `/v2`, and all bytes it has received. */
async function open(path = "/v2", headers: Readonly<Record<string, string>> = {}, { url } = running()) {
  const webSocket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers });
  const received: Buffer[] = [];
  webSocket.on("message", (data: Buffer) => received.push(data));
  const closed = once(webSocket, "close");
  await once(webSocket, "open");
  const bytes = () => Buffer.concat(received);
  return {
    webSocket,
    bytes,
    closed,
    until: (check: (bytes: Buffer) => boolean) =>
      eventually(async () => {
        await new Promise(setImmediate);
        return bytes();
      }, check),
  };
}

/** The types of the messages in `bytes`. */
function messageTypes(bytes: Buffer): string {
  let types = "";
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1)) types += String.fromCharCode(bytes[at] ?? 0);
  return types;
}

const login = () => {
  const { user, database } = inject("postgres");
  return startupMessage({ user, database, client_encoding: "UTF8" });
};

describe("the startup", () => {
  test("declines encryption and asks for the password in clear text", async () => {
    const { webSocket, until } = await open();
    webSocket.send(SSL_REQUEST);
    expect(await until((bytes) => bytes.length >= 1)).toEqual(Buffer.from("N"));
    webSocket.send(login());
    expect((await until((bytes) => bytes.length >= 10)).subarray(1)).toEqual(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    webSocket.terminate();
  });

  test("works in single bytes, and tells the server's parameters and key", async () => {
    const { webSocket, until } = await open("/v2?address=ignored:5432");
    for (const byte of Buffer.concat([login(), passwordMessage(inject("postgres").password)])) webSocket.send(Buffer.from([byte]));
    const bytes = await until((received) => messageTypes(received).endsWith("Z"));
    expect(messageTypes(bytes)).toMatch(/^RRS+KZ$/);
    expect(bytes.toString("latin1")).toContain("server_version\0");
    webSocket.terminate();
  });

  test("and the first statement may come in one message", async () => {
    const { webSocket, until, closed } = await open();
    const statement = Buffer.from("Q\0\0\0\x0dselect 1\0");
    const terminate = Buffer.from("X\0\0\0\x04");
    webSocket.send(Buffer.concat([login(), passwordMessage(inject("postgres").password), statement]));
    await until((bytes) => messageTypes(bytes).endsWith("TDCZ"));
    webSocket.send(terminate);
    await closed;
  });

  test.each<[string, Buffer, string]>([
    ["another protocol", startupMessage({ user: "u" }, 2 << 16), "C08P01"],
    ["an impossible length", Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]), "C08P01"],
    ["no password message", Buffer.concat([startupMessage({ user: "u" }), Buffer.from("Q\0\0\0\x0dselect 1\0")]), "C08P01"],
    ["an empty password", Buffer.concat([startupMessage({ user: "u" }), passwordMessage("")]), "C28P01"],
    ["no user", Buffer.concat([startupMessage({}), passwordMessage("p")]), "C28000"],
  ])("with %s is refused and closed", async (_, bytes, code) => {
    const { webSocket, bytes: received, closed } = await open();
    webSocket.send(bytes);
    await closed;
    expect(messageTypes(received())).toMatch(/E$/);
    expect(received().toString("latin1")).toContain(code);
  });

  test("in text frames is closed with 1003", async () => {
    const { webSocket, closed } = await open();
    webSocket.send("hello");
    expect((await closed)[0]).toBe(1003);
  });
});

describe("a stop of the endpoint", () => {
  const openLoggedIn = async () => {
    const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0 });
    const session = await open("/v2", {}, endpoint);
    session.webSocket.send(Buffer.concat([login(), passwordMessage(inject("postgres").password)]));
    await session.until((bytes) => messageTypes(bytes).endsWith("Z"));
    return { endpoint, ...session };
  };

  test("says goodbye, so that a client that leaves at the same time meets no error", async () => {
    const { endpoint, closed } = await openLoggedIn();
    await endpoint.stop();
    expect((await closed)[0]).toBe(1001);
  });

  test("cuts off a client that takes no notice", async () => {
    const { endpoint, webSocket, closed } = await openLoggedIn();
    webSocket.pause();
    await endpoint.stop();
    webSocket.resume();
    await closed;
  });
});

test("a CancelRequest ends another session's statement", async () => {
  const session = await open();
  session.webSocket.send(Buffer.concat([login(), passwordMessage(inject("postgres").password)]));
  const welcome = await session.until((bytes) => messageTypes(bytes).endsWith("Z"));
  const key = welcome.subarray(-6 - 8, -6);
  session.webSocket.send(Buffer.from("Q\0\0\0\x1aselect pg_sleep(600);\0"));
  const sleeping = async () =>
    (await query("select count(*)::int4 as n from pg_stat_activity where pid = $1 and state = 'active'", [key.readInt32BE(0)])).rows;
  await eventually(sleeping, ([row]) => (row as { n: number }).n === 1);
  const canceller = await open();
  canceller.webSocket.send(Buffer.concat([Buffer.from([0, 0, 0, 16, 4, 210, 22, 46]), key]));
  await canceller.closed;
  const bytes = await session.until((received) => messageTypes(received).endsWith("EZ"));
  expect(bytes.toString("latin1")).toContain("C57014");
  session.webSocket.terminate();
});

describe("an upgrade", () => {
  const refused = async (url: string, headers: Readonly<Record<string, string>> = {}) => {
    const webSocket = new WebSocket(url, { headers });
    webSocket.on("error", () => undefined);
    const [, response] = (await once(webSocket, "unexpected-response")) as [unknown, { statusCode: number; destroy(): void }];
    response.destroy();
    return response.statusCode;
  };

  test("elsewhere than at /v2 is refused", async () => {
    expect(await refused(`ws://127.0.0.1:${running().port}/v1`)).toBe(400);
  });

  test("by a page of another site is refused, and by one of this machine is not", async () => {
    const url = `ws://127.0.0.1:${running().port}/v2`;
    expect([await refused(url, { Origin: "https://example.com" }), await refused(url, { Origin: "null" })]).toEqual([403, 403]);
    const { webSocket } = await open("/v2", { Origin: "http://localhost:3000" });
    webSocket.terminate();
  });

  const guarded = useEndpoint({ token: "open sesame" });

  test("needs the token where there is one", async () => {
    const url = `ws://127.0.0.1:${guarded.running().port}/v2`;
    expect([await refused(url), await refused(url, { Authorization: "Bearer wrong" })]).toEqual([401, 401]);
    const webSocket = new WebSocket(url, { headers: { Authorization: "Bearer open sesame" } });
    await once(webSocket, "open");
    webSocket.terminate();
  });
});
