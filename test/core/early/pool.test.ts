import { readFileSync } from "node:fs";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { DatabaseEvent, DatabaseOptions } from "../../../src/entry/node.ts";
import type { WarmPool } from "../../../src/transports/pool/warm-pool.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openPool } from "../databases.ts";
import { stopStopwatch } from "../pool/passing-time.ts";

// What is encrypted from end to end cannot be read: who waits for whom is counted.
let server: PostgresServer;
let wire: Wire;
let early: DatabaseOptions;

beforeAll(async () => {
  server = await startPostgres({ tls: true });
  wire = await startWire(server);
  const url = server.url().replace(String(server.port), String(wire.port));
  early = { url, sslMode: "verify-full", ca: readFileSync(server.ca ?? "", "utf8"), earlyStatement: true, max: 1 };
});
afterAll(async () => {
  await wire.close();
  await server.stop();
});
afterEach(() => void vi.restoreAllMocks());

/** How often the first row of a new connection made the client wait: for the handshake of TLS, three times for the login, for its answer. */
const ALONE = 5;

async function waits(options: DatabaseOptions): Promise<number> {
  await using db = openPool({ ...early, ...options });
  wire.reset();
  await db.query("select 1");
  // SSLRequest can be read, and is not counted
  return wire.roundTrips();
}

describe("the first row of a new connection over verified TLS", () => {
  test.each([
    ["postgres", ALONE - 1],
    ["direct", ALONE - 1],
  ] as const)("costs one wait less than a login and a statement apart (negotiation: %s)", async (sslNegotiation, expected) => {
    expect(await waits({ sslNegotiation, earlyStatement: false })).toBe(ALONE);
    expect(await waits({ sslNegotiation })).toBe(expected);
    expect(await waits({ sslNegotiation, channelBinding: "require" })).toBe(expected);
  });

  test("costs as many as ever where TLS is not verified", async () => {
    expect(await waits({ sslMode: "no-verify", ca: undefined })).toBe(ALONE);
  });

  test.each<[string, (pool: WarmPool) => unknown]>([
    ["a listener is shown new connections", (pool) => pool.on("connect", (client) => void client.query("set work_mem = '5MB'"))],
    [
      "a hook makes them ready",
      (pool) => Object.assign(pool.options, { onConnect: (client: pg.PoolClient) => client.query("set work_mem = '5MB'") }),
    ],
  ])("waits until %s", async (_, prepare) => {
    await using db = openPool({ ...early, onPool: (pool) => void prepare(pool as WarmPool) });
    expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "5MB" }]);
  });
});

describe("a connection that is used before its login is over", () => {
  test("is told as connected before its call, by one name", async () => {
    await using db = openPool(early);
    const told: DatabaseEvent[] = [];
    db.subscribe((event) => void told.push(event));
    const { via } = await db.query("select 1");
    expect(told).toMatchObject([{ type: "connect", connectionId: via.connectionId }, { type: "query" }]);
    expect((await db.query("select 1")).via).toMatchObject({ connectionId: via.connectionId, reused: true });
  });

  test("serves its call where its pool is ended meanwhile", async () => {
    let shown: WarmPool | undefined;
    await using db = openPool({
      ...early,
      onPool: (pool) => {
        shown = pool as WarmPool;
      },
    });
    const answer = db.query("select 1 as n");
    const submitted = Promise.withResolvers<void>();
    const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
    vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (this: pg.Client, ...args: unknown[]) {
      submitted.resolve();
      return query.apply(this, args);
    } as never);
    await submitted.promise;
    await shown?.end();
    expect((await answer).rows).toEqual([{ n: 1 }]);
  });

  test("is not used, and takes up no room, where a tracer refuses its statement", async () => {
    await using db = openPool(early);
    const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
    let refusing = true;
    vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (this: pg.Client, ...args: unknown[]) {
      if (!refusing) return query.apply(this, args);
      const [submitted, callback] = args as [{ callback: unknown }, (error: Error) => void];
      submitted.callback = callback;
      callback(new Error("blocked"));
    } as never);
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "BLOCKED", fate: "not-sent" });
    refusing = false;
    expect((await db.query("select 1")).via.reused).toBe(false);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0, total: 1 });
  });

  test("is shared by nobody until then, where the text is known to be fast", async () => {
    // what nobody calls slow is fast: on a busy machine, too
    stopStopwatch();
    await using db = openPool(early);
    const text = "select $1::int as n";
    const four = () => Promise.all([1, 2, 3, 4].map((n) => db.query<{ n: number }>(text, [n])));
    await four();
    expect((await four()).map(({ via }) => via.pipelined ?? false)).toEqual([false, true, true, true]);
    await db.release();
    const numbers = await four();
    expect(numbers.map(({ rows: [row] }) => row?.n)).toEqual([1, 2, 3, 4]);
    expect(numbers.map(({ via }) => [via.reused, via.pipelined ?? false])).toEqual([
      [false, false],
      [true, false],
      [true, true],
      [true, true],
    ]);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 0 });
  });
});
