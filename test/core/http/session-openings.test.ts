import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import type { Database, DatabaseOptions } from "../../../src/entry/node.ts";
import { startWire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let endpoint: Endpoint;
/** Every WebSocket of this process. */
const opened: WebSocket[] = [];
const { WebSocket: Original } = globalThis;

beforeAll(async () => {
  direct = await openDirect();
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  globalThis.WebSocket = class extends Original {
    constructor(...given: ConstructorParameters<typeof Original>) {
      super(...given);
      opened.push(this);
    }
  };
});
afterAll(async () => {
  globalThis.WebSocket = Original;
  await endpoint.stop();
  await direct.end();
});

const applicationName = "core openings";
const open = (options: DatabaseOptions = {}): Database =>
  openPool({ transport: "http", endpoint: endpoint.url, applicationName, ...options });
const rightPassword = () => decodeURIComponent(new URL(inject("postgres").url).password);
const backends = async () => (await direct.query("select 1 from pg_stat_activity where application_name = $1", [applicationName])).rowCount;

/** Waits until no WebSocket is open any more, nor being opened, and no backend of them is left. */
async function allGone(): Promise<void> {
  await until(() => opened.every(({ readyState }) => readyState >= Original.CLOSING));
  await until(async () => (await backends()) === 0);
}

/** A host that accepts connections, and says nothing. */
async function startSilentHost() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    socket.resume();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a session that is given up while it is opened", () => {
  test.each([
    ["transaction", (db: Database, signal: AbortSignal) => db.transaction((tx) => tx.query("select 1"), { signal })],
    ["session", (db: Database, signal: AbortSignal) => db.session((session) => session.query("select 1"), { signal })],
    ["script", (db: Database, signal: AbortSignal) => db.script("select 1", { signal })],
  ])("at once leaves no backend behind, the first %s of a database also", async (_, call) => {
    const db = open();
    const aborted = Array.from({ length: 12 }, async () => {
      const controller = new AbortController();
      const failure = failureOf(call(db, controller.signal));
      controller.abort();
      return failure;
    });
    for (const error of await Promise.all(aborted)) expect(error).toMatchObject({ code: "ABORTED", fate: "not-sent" });
    // what was opened all the same has logged in by then
    expect((await db.transaction((tx) => tx.query("select 1"))).rowCount).toBe(1);
    await db.close();
    await allGone();
  });

  const ends = [
    ["its signal", { code: "ABORTED" }, { connectTimeoutMs: 60_000 }, (db: Database) => inASession(db, AbortSignal.timeout(60))],
    ["its deadline", { code: "DEADLINE_EXCEEDED" }, { connectTimeoutMs: 60_000, deadlineMs: 60 }, (db: Database) => inASession(db)],
    ["connectTimeoutMs", { code: "CONNECT_TIMEOUT" }, { connectTimeoutMs: 60 }, (db: Database) => inASession(db)],
  ] as const;
  const inASession = (db: Database, signal?: AbortSignal) => db.session((session) => session.query("select 1"), { signal });

  test.each(ends)("by %s, while a host takes its connection and says nothing, closes it", async (_, error, options, call) => {
    await using silent = await startSilentHost();
    await using db = open({ endpoint: silent.endpoint, ...options });
    expect(await failureOf(call(db))).toMatchObject({ ...error, fate: "not-sent" });
    await until(() => silent.connections() === 0);
    await allGone();
  });

  test("by close, while a host says nothing and no deadline was given, ends after connectTimeoutMs", async () => {
    await using silent = await startSilentHost();
    const db = open({ endpoint: silent.endpoint, deadlineMs: 0, connectTimeoutMs: 50 });
    const failure = failureOf(inASession(db));
    await db.close();
    expect(await failure).toMatchObject({ code: "CONNECT_TIMEOUT", fate: "not-sent" });
  });

  test.each(ends)("by %s, while the server behind the endpoint says nothing, leaves no backend when it answers", async (_, ...given) => {
    const [error, options, call] = given;
    await using wire = await startWire(inject("postgres"));
    const behind = await startEndpoint({ databaseUrl: urlAt(wire), port: 0 });
    wire.hold();
    await using db = open({ endpoint: behind.url, ...options });
    expect(await failureOf(call(db))).toMatchObject({ ...error, fate: "not-sent" });
    wire.resume();
    await allGone();
    await until(() => wire.openConnections() === 0);
    await behind.stop();
  });

  test("while its password function never answers, closes it, and what the function gives later goes nowhere", async () => {
    const late = Promise.withResolvers<string>();
    let asked = 0;
    await using db = open({ password: () => (++asked > 2 ? rightPassword() : late.promise), connectTimeoutMs: 300 });
    const controller = new AbortController();
    const given = failureOf(inASession(db, controller.signal));
    await until(() => asked === 1);
    controller.abort();
    expect(await given).toMatchObject({ code: "ABORTED", fate: "not-sent" });
    // its first attempt gets no password either; on a slow machine not every one after it comes through in time
    await inASession(db);
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(db.stats().retries).toBe(asked - 2);
    late.resolve(rightPassword());
    await allGone();
  });
});
