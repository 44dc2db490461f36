import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { type Database, type DatabaseOptions, type RowStream, sql } from "../../../src/entry/node.ts";
import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { eventsOf, failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { startToldServer } from "../http/told-server.ts";
import { openRequest } from "../request/open-request.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("drop table if exists stream_cuts; create table stream_cuts (n int)");
});
beforeEach(async () => {
  await direct.query("truncate stream_cuts");
  wire = await startWire(inject("postgres"));
  return () => wire.close();
});
afterEach(() => void vi.restoreAllMocks());
afterAll(async () => {
  await direct.query("drop table stream_cuts");
  await direct.end();
});

const numbers = (count: number) => sql<{ n: number }>`select n from generate_series(1, ${count}::int) n`;
const insert = (count: number) => sql<{ n: number }>`insert into stream_cuts select generate_series(1, ${count}::int) returning n`;
const countRows = async () => Number((await direct.query("select count(*) from stream_cuts")).rows[0].count);

/** Reads into `seen`, and gives what the reading failed with. */
const failing = (rows: AsyncIterable<unknown>, seen: unknown[] = []) =>
  failureOf(
    (async () => {
      for await (const row of rows) seen.push(row);
    })(),
  );

/** The nth message of a type, from 1. */
function nth(from: PostgresMessage["from"], type: string, number: number): (message: PostgresMessage) => boolean {
  let left = number;
  return (message) => message.from === from && message.type === type && --left === 0;
}

const ways: readonly (readonly [string, (options?: DatabaseOptions) => Database])[] = [
  ["pool", (options) => openPool({ url: urlAt(wire), max: 1, ...options })],
  ["request", (options) => openRequest({ url: urlAt(wire), ...options })],
];

describe.each(ways)("over the transport %s, a connection lost", (_, open) => {
  test.each<[string, (message: PostgresMessage) => boolean, number]>([
    ["before the first answer", nth("server", "1", 1), 0],
    ["after row 1", nth("server", "D", 2), 0],
    ["after row 500", nth("server", "D", 501), 0],
    ["before the first batch is complete", nth("server", "s", 1), 0],
    ["with the first batch given out", nth("client", "E", 3), 1_000],
    ["in the second batch", nth("server", "D", 1_400), 1_000],
    ["before CommandComplete", nth("server", "C", 2), 1_000],
    ["before COMMIT arrives", nth("client", "P", 3), 1_500],
  ])("%s: what writes is undone, and a reader has whole batches", async (_, matches, given) => {
    await using db = open();
    const seen: unknown[] = [];
    const cut = wire.cutAt(matches);
    expect(await failing(db.stream(insert(1_500), { batchSize: 1_000 }), seen)).toMatchObject({
      name: "ConnectionError",
      code: "CONNECTION_LOST",
      fate: given === 1_500 ? "unknown" : "refused",
    });
    await cut;
    expect(seen).toHaveLength(given);
    expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
    await until(async () => (await direct.query("select 1 from pg_locks where relation = 'stream_cuts'::regclass")).rowCount === 0);
    expect(await countRows()).toBe(0);
    expect(db.stats()).toMatchObject({ retries: 0, running: 0 });
  });

  test("behind COMMIT leaves it unknown, and it is done", async () => {
    await using db = open();
    const seen: unknown[] = [];
    const cut = wire.cutAt(nth("server", "C", 3));
    expect(await failing(db.stream(insert(3)), seen)).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    await cut;
    expect(seen).toHaveLength(3);
    await until(async () => (await countRows()) === 3);
  });

  test("before a row was given out is bridged where the stream says that it may be, and never after", async () => {
    await using db = open();
    for (const claim of [{ readOnly: true }, { idempotent: true }]) {
      const before = db.stats().retries;
      const seen: unknown[] = [];
      const cut = wire.cutAt(nth("server", "D", 7));
      for await (const { n } of db.stream(numbers(10), claim)) seen.push(n);
      await cut;
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(db.stats().retries - before).toBe(1);
      const late: unknown[] = [];
      const cutLate = wire.cutAt(nth("server", "D", 7));
      expect(await failing(db.stream(numbers(10), { ...claim, batchSize: 5 }), late)).toMatchObject({
        code: "CONNECTION_LOST",
        fate: "refused",
      });
      await cutLate;
      expect(late).toHaveLength(5);
      expect(db.stats().retries - before).toBe(1);
    }
  });

  test("between two rows, because the server ended it: an error with its fate", async () => {
    await using db = open();
    const rows = db.stream(sql<{ pid: number }>`select pg_backend_pid() as pid from generate_series(1, 9)`, { batchSize: 1 });
    const error = await failureOf(
      (async () => {
        for await (const { pid } of rows) {
          await direct.query("select pg_terminate_backend($1)", [pid]);
          await until(async () => (await direct.query("select 1 from pg_stat_activity where pid = $1", [pid])).rowCount === 0);
        }
      })(),
    );
    expect(error.fate).toBe("refused");
    expect(error.code).toMatch(/^(57P01|CONNECTION_LOST)$/);
    expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
  });

  test("in a transaction refuses the whole", async () => {
    await using db = open();
    const cut = wire.cutAt(nth("server", "D", 3));
    const error = await failureOf(
      db.transaction(async (tx) => {
        await tx.sql`insert into stream_cuts values (1)`;
        for await (const _ of tx.stream(numbers(9), { batchSize: 2 })) await tx.sql`insert into stream_cuts values (2)`;
      }),
    );
    await cut;
    expect(error).toMatchObject({ code: "CONNECTION_LOST", fate: "refused" });
    expect(await countRows()).toBe(0);
  });
});

describe.each(ways)("over the transport %s, a reader", (_, open) => {
  test("that never reads on is ended by the deadline, and told when it does", async () => {
    await using db = open();
    const calls = eventsOf(db, "query");
    const rows = db.stream(insert(9), { batchSize: 1, deadlineMs: 300 })[Symbol.asyncIterator]();
    await rows.next();
    await until(() => db.stats().running === 0);
    expect(calls).toMatchObject([{ operation: "stream", failure: { code: "DEADLINE_EXCEEDED", fate: "refused" } }]);
    expect(await failureOf(Promise.resolve(rows.next()))).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
    await until(async () => (await countRows()) === 0);
    expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
  });

  test("that leaves after its deadline learns what became of what it wrote", async () => {
    await using db = open();
    const rows = db.stream(insert(9), { batchSize: 1, deadlineMs: 300 })[Symbol.asyncIterator]();
    await rows.next();
    await until(() => db.stats().running === 0);
    expect(await failureOf(rows.return?.() as Promise<unknown>)).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
    const reading = db.stream(numbers(9), { batchSize: 1, deadlineMs: 300 })[Symbol.asyncIterator]();
    await reading.next();
    await until(() => db.stats().running === 0);
    expect(await reading.return?.()).toEqual({ value: undefined, done: true });
  });

  test("is ended by the server's own limit of idle transactions", async () => {
    await using db = open({ startupOptions: "-c idle_in_transaction_session_timeout=200" });
    const rows = db.stream(numbers(9), { batchSize: 1 })[Symbol.asyncIterator]();
    await rows.next();
    await until(
      async () =>
        (await direct.query("select 1 from pg_stat_activity where state = 'idle in transaction' and query like '%generate_series%'"))
          .rowCount === 0,
    );
    expect(await failureOf(Promise.resolve(rows.next()))).toMatchObject({ fate: "refused" });
    expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
  });

  test("is waited for by close, and refused after it", async () => {
    const db = open();
    const rows = db.stream(numbers(3), { batchSize: 1 })[Symbol.asyncIterator]();
    await rows.next();
    expect(db.stats().running).toBe(1);
    const closing = db.close();
    const later = db.stream(numbers(1));
    expect(await failing(later)).toMatchObject({ code: "CLOSED", fate: "not-sent" });
    expect((await rows.next()).value).toEqual({ n: 2 });
    await rows.return?.();
    await closing;
  });
});

describe("a stream over a pool", () => {
  test("that is held for longer than leakThresholdMs is told with who reads it", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    await using db = openPool({ leakThresholdMs: 50 });
    const leaks = eventsOf(db, "leak");
    await db.sql`select 1`;
    async function readsSlowly(rows: RowStream) {
      for await (const _ of rows) await until(() => leaks.length > 0);
    }
    await readsSlowly(db.stream(numbers(1)));
    expect(leaks).toHaveLength(1);
    expect(leaks[0]?.stack).toContain("readsSlowly");
  });

  test("holds its connection: what is asked beside it waits for another, and no longer than it may", async () => {
    await using db = openPool({ max: 1, acquireTimeoutMs: 100 });
    for await (const _ of db.stream(numbers(1))) {
      expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "ACQUIRE_TIMEOUT", fate: "not-sent" });
    }
    expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
  });

  test("is told as one call, with its rows and the way they came", async () => {
    await using db = openPool({ slowQueryMs: 1 });
    const calls = eventsOf(db, "query");
    const slow = eventsOf(db, "slow");
    for await (const _ of db.stream(numbers(7), { batchSize: 2 }));
    for await (const _ of db.stream(numbers(7), { batchSize: 2 })) break;
    await failing(db.stream("select 1/0"));
    await db.transaction(async (tx) => {
      for await (const _ of tx.stream(numbers(3), { batchSize: 2 }));
    });
    const via = { transport: "pool", connectionId: expect.any(String), attempts: 1 };
    const text = "select n from generate_series(1, $1::int) n";
    expect(calls).toMatchObject([
      { operation: "stream", within: null, texts: [text], rowCount: 7, via, failure: null, attempts: 1 },
      { operation: "stream", texts: [text], rowCount: 2, failure: null },
      { operation: "stream", failure: { code: "22012", fate: "refused", sqlState: "22012" } },
      { operation: "stream", within: "transaction", texts: [text], rowCount: 3, via, failure: null },
      { operation: "transaction", failure: null },
    ]);
    expect(slow).toEqual([]);
  });

  test("needs a session: where there is neither a socket nor a WebSocket it is refused before anything is sent", async () => {
    await using server = await startToldServer();
    const { WebSocket } = globalThis;
    Reflect.deleteProperty(globalThis, "WebSocket");
    try {
      await using db = openPool({ transport: "http", endpoint: server.url });
      expect(await failing(db.stream(numbers(1)))).toMatchObject({ code: "NO_SESSION", fate: "not-sent" });
      expect(server.bodies).toEqual([]);
    } finally {
      globalThis.WebSocket = WebSocket;
    }
  });
});
