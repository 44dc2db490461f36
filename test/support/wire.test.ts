import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { isCommandComplete, isStatement } from "./postgres-messages.ts";
import { startWire, type Wire } from "./wire.ts";

const postgres = inject("postgres");
const table = "wire_rows";

async function open(port: number): Promise<Client> {
  const { host, user, password, database } = postgres;
  const client = new Client({ host, port, user, password, database, application_name: "wire" });
  client.on("error", () => {});
  await client.connect();
  return client;
}

describe("the wire", () => {
  let direct: Client;
  let wire: Wire;
  let client: Client;

  const countRows = async () => Number((await direct.query(`select count(*) from ${table}`)).rows[0].count);
  const until = async (holds: () => Promise<boolean>) => {
    for (const giveUpAt = Date.now() + 5_000; !(await holds()); await delay(10)) {
      if (Date.now() > giveUpAt) throw new Error("What was waited for did not come.");
    }
  };
  const noSessionIsLeft = async () =>
    (await direct.query("select 1 from pg_stat_activity where application_name = 'wire' and pid <> pg_backend_pid()")).rowCount === 0;

  beforeAll(async () => {
    direct = await open(postgres.port);
    await direct.query(`create table ${table} (id int)`);
  });
  beforeEach(async () => {
    await direct.query(`truncate ${table}`);
    wire = await startWire(postgres);
    client = await open(wire.port);
  });
  afterEach(async () => {
    await wire.close();
  });
  afterAll(async () => {
    await direct.query(`drop table ${table}`);
    await direct.end();
  });

  test("counts a round trip for every query, and none for the login", async () => {
    expect(wire.roundTrips()).toBe(0);
    await client.query("select 1");
    expect(wire.roundTrips()).toBe(1);
    for (const text of ["begin", "select 1", "commit"]) await client.query(text, []);
    expect(wire.roundTrips()).toBe(4);
    wire.reset();
    expect(wire.roundTrips()).toBe(0);
  });

  test("counts one round trip for a statement and an answer of many packets", async () => {
    const long = "x".repeat(8_000_000);
    const { rows } = await client.query("select $1::text as a, $1::text as b", [long]);
    expect(rows[0].b).toBe(long);
    expect(wire.roundTrips()).toBe(1);
  });

  test("counts connections, those open, and requests to cancel", async () => {
    expect([wire.connections(), wire.openConnections(), wire.cancelRequests()]).toEqual([1, 1, 0]);
    const cancel = Buffer.alloc(16);
    for (const [index, word] of [16, 80_877_102, 1, 1].entries()) cancel.writeInt32BE(word, index * 4);
    const socket = connect({ host: "127.0.0.1", port: wire.port });
    socket.end(cancel).resume();
    await once(socket, "close");
    expect([wire.connections(), wire.cancelRequests()]).toEqual([2, 1]);
    await client.end();
    await until(async () => wire.openConnections() === 0);
    expect(wire.roundTrips()).toBe(0);
  });

  test("cuts every connection", async () => {
    const ended = new Promise((resolve) => client.once("end", resolve));
    wire.cut();
    await ended;
    await expect(client.query("select 1")).rejects.toThrow();
    await until(async () => wire.openConnections() === 0);
  });

  test("loses the answer to a COMMIT that was carried out", async () => {
    const happened = wire.cutAt(isCommandComplete("COMMIT"));
    await client.query("begin");
    await client.query(`insert into ${table} values (1)`);
    await expect(client.query("commit")).rejects.toThrow();
    await happened;
    expect(await countRows()).toBe(1);
  });

  test("loses a statement before the server has it", async () => {
    const happened = wire.cutAt(isStatement("insert"));
    await expect(client.query(`insert into ${table} values (1)`)).rejects.toThrow();
    await happened;
    await until(noSessionIsLeft);
    expect(await countRows()).toBe(0);
  });

  test("loses the client after the server has the statement", async () => {
    const happened = wire.cutAt(isStatement("insert"), { passOn: true });
    await expect(client.query(`insert into ${table} values (1)`)).rejects.toThrow();
    await happened;
    await until(noSessionIsLeft);
    expect(await countRows()).toBe(1);
  });

  test("cuts within a message: half of it arrives, and is no statement", async () => {
    const happened = wire.cutAt(isStatement("insert"), { passOn: "half" });
    await expect(client.query(`insert into ${table} values (1)`)).rejects.toThrow();
    await happened;
    await until(noSessionIsLeft);
    expect(await countRows()).toBe(0);
  });

  test("cuts within an answer: the driver has half of it", async () => {
    const happened = wire.cutAt(({ from, type }) => from === "server" && type === "D", { passOn: "half" });
    const stream = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    await expect(client.query("select repeat('x', 1000) as x")).rejects.toThrow();
    await happened;
    const xs = Buffer.concat(chunks).toString("latin1").split("x").length - 1;
    expect(xs).toBeGreaterThan(400);
    expect(xs).toBeLessThan(600);
  });

  test("holds everything until it resumes", async () => {
    const seen: string[] = [];
    const stop = wire.onMessage(({ from, type }) => seen.push(`${from} ${type}`));
    wire.hold();
    const answer = client.query(`insert into ${table} values (1)`);
    await direct.query("select pg_sleep(0.05)");
    expect(seen).toEqual([]);
    expect(await countRows()).toBe(0);
    wire.resume();
    await answer;
    expect(seen).toEqual(["client Q", "server C", "server Z"]);
    stop();
    await client.query("select 1");
    expect(seen).toHaveLength(3);
  });

  test("holds the server's answers while statements are carried out", async () => {
    wire.holdServer();
    let answered = false;
    const answer = client.query(`insert into ${table} values (1)`).then(() => {
      answered = true;
    });
    await until(async () => (await countRows()) === 1);
    expect(answered).toBe(false);
    wire.resume();
    await answer;
  });

  test("holds connections to come only when told so", async () => {
    wire.hold("open");
    const later = await open(wire.port);
    expect((await later.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    wire.hold();
    const seen: string[] = [];
    wire.onMessage(({ type }) => seen.push(type));
    const held = open(wire.port);
    await until(async () => wire.openConnections() === 3);
    await direct.query("select pg_sleep(0.05)");
    expect(seen).toEqual([]);
    wire.resume();
    await held;
  });

  test("adds a distance: what is sent before an answer has crossed it belongs to the same round trip", async () => {
    await using far = await startWire(postgres, { delayMs: 100 });
    const { host, user, password, database } = postgres;
    const pipelined = new Client({ host, port: far.port, user, password, database, pipeline: true } as object);
    pipelined.on("error", () => {});
    await pipelined.connect();
    const answeredOverThere = new Promise<void>((resolve) => {
      far.onMessage(({ from, type }) => from === "server" && type === "Z" && resolve());
    });
    const first = pipelined.query("select 1");
    await answeredOverThere;
    await Promise.all([first, pipelined.query("select 2")]);
    expect(far.roundTrips()).toBe(1);
    await pipelined.query("select 3");
    expect(far.roundTrips()).toBe(2);
  });

  test("passes on what is not Postgres, counting by direction", async () => {
    const server = createServer((_, response) => response.end("x".repeat(200_000))).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { readonly port: number };
    await using web = await startWire({ host: "127.0.0.1", port });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let sent = 0; sent < 3; sent += 1) {
      const [response] = await once(request({ host: "127.0.0.1", port: web.port, agent, method: "POST" }).end("body"), "response");
      let size = 0;
      for await (const chunk of response) size += chunk.length;
      expect(size).toBe(200_000);
    }
    expect([web.roundTrips(), web.connections()]).toEqual([3, 1]);
    agent.destroy();
    server.close();
  });

  test("resets the client when nobody listens at the other end", async () => {
    await using nowhere = await startWire({ host: "127.0.0.1", port: 1 });
    await expect(open(nowhere.port)).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});
