import { types } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { makeDeadline } from "../../../src/delivery/deadline.ts";
import { type Database, sql } from "../../../src/entry/node.ts";
import type { WarmPool } from "../../../src/entry/pool.ts";
import { poolTransport } from "../../../src/transports/pool/pool.ts";
import type { Clock } from "../../../src/transports/transport.ts";
import { type StoppedTimers, stopTimers } from "../../support/stopped-timers.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, pgFailureOf, until } from "../databases.ts";
import { failureInTime } from "../passing-deadline.ts";
import { openPaused, openPausedPool } from "./paused.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table freshness_silence (id int)");
  await direct.query("create role freshness_single login password 'single' connection limit 1");
  await direct.query("grant insert, select on freshness_silence to freshness_single");
});
beforeEach(async () => {
  await direct.query("truncate freshness_silence");
  wire = await startWire(inject("postgres"));
});
afterEach(() => wire.close());
afterAll(async () => {
  await direct.query("drop table freshness_silence");
  await direct.query("drop role freshness_single");
  await direct.end();
});

const insert = sql`insert into freshness_silence values (1)`;
const countRows = async () => Number((await direct.query("select count(*) from freshness_silence")).rows[0].count);

/** Resolves when the role that may connect once is not connected: a server ends a session in its own time. */
const singleIsFree = () =>
  until(async () => (await direct.query("select 1 from pg_stat_activity where usename = 'freshness_single'")).rowCount === 0);

/** Resolves when the server has refused that role a second connection. */
const refusedSecond = () =>
  new Promise<void>((resolve) => {
    wire.onMessage(({ from, type, body }) => void (from === "server" && type === "E" && body.includes("53300") && resolve()));
  });

/** Resolves when so many connections have come to the wire, however far they got. */
const opened = (count: number) => until(() => wire.connections() === count);

/** Lets a pool's silent connection be silent for long enough; resolves when its replacement has come to the wire. */
async function passSilence(pool: WarmPool, timers: StoppedTimers): Promise<void> {
  await until(() => pool.state.probes === 1);
  timers.pass(250);
  await opened(2);
}

describe("a connection that is swallowed", () => {
  const calls: readonly (readonly [string, (db: Database) => Promise<unknown>, number])[] = [
    ["a write", (db) => db.query(insert), 1],
    ["a readOnly query", (db) => db.query("select 1", [], { readOnly: true }), 0],
    ["an idempotent query", (db) => db.query("select 1", [], { idempotent: true }), 0],
    ["a batch", (db) => db.batch([insert, insert]), 2],
    ["a transaction", (db) => db.transaction((tx) => Promise.all([tx.query(insert), tx.query(insert)])), 2],
    ["a session", (db) => db.session((session) => session.query(insert)), 1],
  ];

  test.each(calls)("is replaced by one that is opened beside it after 250 ms: %s", async (_, send, rows) => {
    const { db } = await openPaused(wire);
    await using _db = db;
    const startedAt = performance.now();
    let replacedAfterMs = 0;
    wire.onMessage(({ type }) => {
      if (type === "startup") replacedAfterMs = performance.now() - startedAt;
    });
    wire.hold("open");
    await send(db);
    expect(replacedAfterMs).toBeGreaterThan(245);
    expect(db.stats()).toMatchObject({ probes: 1, connects: 2, discarded: 1, retries: 0, total: 1 });
    expect((await db.query("select 1")).via.reused).toBe(true);
    // what was swallowed comes out after all: nothing of it may be done a second time
    wire.resume();
    await until(() => wire.openConnections() === 1);
    expect(await countRows()).toBe(rows);
  });

  test("is replaced also when only its answers are lost, and a transaction is done once", async () => {
    const { db } = await openPaused(wire);
    await using _db = db;
    wire.holdServer("open");
    await db.transaction((tx) => tx.query(insert));
    wire.resume();
    await until(() => wire.openConnections() === 1);
    expect(await countRows()).toBe(1);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("holds up nobody who waits behind the call that asks", async () => {
    const { db } = await openPaused(wire);
    await using _db = db;
    wire.hold("open");
    const answers = await Promise.all([1, 2, 3, 4].map((number) => db.query("select $1::int as n", [number])));
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual([1, 2, 3, 4]);
    expect(db.stats()).toMatchObject({ probes: 1, connects: 2, total: 1, waiting: 0 });
  });

  test.each([
    ["promise", (pool: WarmPool) => pool.query("insert into freshness_silence values (1)")],
    [
      "callback",
      (pool: WarmPool) =>
        new Promise((resolve, reject) => {
          pool.query("insert into freshness_silence values (1)", (error, result) => (error ? reject(error) : resolve(result)));
        }),
    ],
  ] as const)("is replaced below pg's own query with a %s", async (_, send) => {
    const pool = await openPausedPool(wire);
    wire.hold("open");
    await send(pool);
    expect(pool.state).toMatchObject({ probes: 1, connects: 2, discarded: 1 });
    await pool.end();
    expect([await countRows(), pool.totalCount]).toEqual([1, 0]);
  });
});

describe("a connection that answers late, and before its replacement is ready,", () => {
  // a distance, which a login crosses several times and an answer once: so the replacement cannot be ready first, however busy the machine
  beforeEach(async () => {
    await wire.close();
    wire = await startWire(inject("postgres"), { delayMs: 50 });
  });

  const calls = [
    ["a write", (db: Database) => db.query(insert)],
    ["an idempotent write", (db: Database) => db.query(insert, { idempotent: true })],
    ["a transaction", (db: Database) => db.transaction((tx) => tx.query(insert))],
  ] as const;

  test.each(calls)("is used, and the replacement is given up where there is no room for it: %s", async (_, send) => {
    const { db, connectionId } = await openPaused(wire);
    await using _db = db;
    wire.hold();
    const sent = send(db);
    await opened(2);
    wire.resume();
    await sent;
    const next = await db.query("select 1");
    expect(next.via.connectionId).toBe(connectionId);
    await until(() => wire.openConnections() === 1);
    expect(db.stats()).toMatchObject({ probes: 1, connects: 2, discarded: 0, total: 1, retries: 0 });
    expect(await countRows()).toBe(1);
  });

  test("is used, and the replacement is kept where there is room", async () => {
    const { db } = await openPaused(wire, { max: 2 });
    await using _db = db;
    wire.hold();
    const sent = db.query(insert);
    await opened(2);
    wire.resume();
    await sent;
    await until(() => db.stats().idle === 2);
    expect(db.stats()).toMatchObject({ total: 2, connects: 2, discarded: 0 });
    await db.query("select 1");
    expect([wire.openConnections(), await countRows()]).toEqual([2, 1]);
  });

  test.each(calls)("is used although the server has refused the replacement: %s", async (_, send) => {
    await singleIsFree();
    const { db, connectionId } = await openPaused(wire, { user: "freshness_single", password: "single" });
    await using _db = db;
    const refused = refusedSecond();
    wire.hold("open");
    const sent = send(db);
    await refused;
    wire.resume();
    await sent;
    expect((await db.query("select 1")).via.connectionId).toBe(connectionId);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0, retries: 0, total: 1 });
    expect(await countRows()).toBe(1);
  });
});

describe("a connection and a replacement that are both silent", () => {
  test("end the call within connectTimeoutMs, and free its slot", async () => {
    using timers = stopTimers();
    const pool = await openPausedPool(wire, { connectTimeoutMs: 400 });
    wire.hold();
    const failure = pgFailureOf(pool.query("insert into freshness_silence values (1)"));
    await passSilence(pool, timers);
    timers.pass(400);
    expect(await failure).toMatchObject({ code: "CONNECT_TIMEOUT", fate: "not-sent", retryable: true });
    wire.resume();
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(pool.state).toMatchObject({ discarded: 1 });
    await pool.end();
    expect([pool.totalCount, await countRows()]).toEqual([0, 0]);
  });

  test("end the call within connectTimeoutMs also when the replacement falls silent after its login", async () => {
    using timers = stopTimers();
    const pool = await openPausedPool(wire, { connectTimeoutMs: 600 });
    wire.hold("open");
    // the only Sync that is seen now is the replacement's
    const asked = new Promise<void>((resolve) => {
      const stopWatching = wire.onMessage(({ from, type }) => {
        if (from !== "client" || type !== "S") return;
        stopWatching();
        wire.hold("open");
        resolve();
      });
    });
    const failure = pgFailureOf(pool.query("select 1"));
    await passSilence(pool, timers);
    await asked;
    timers.pass(600);
    expect(await failure).toMatchObject({ code: "CONNECT_TIMEOUT", fate: "not-sent" });
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect([pool.totalCount, pool.state.connects]).toEqual([1, 3]);
    await pool.end();
  });

  test("end the call at once when no replacement can be had, and the silent one turns out to be lost", async () => {
    await singleIsFree();
    const pool = await openPausedPool(wire, { user: "freshness_single", password: "single", connectTimeoutMs: 60_000 });
    const refused = refusedSecond();
    wire.hold("open");
    const failure = pgFailureOf(pool.query("select 1"));
    await refused;
    wire.cut();
    expect(await failure).toMatchObject({ code: "53300", fate: "not-sent" });
    await pool.end();
  });

  test("leave the fate of an idempotent statement unknown, for it was written, and is done", async () => {
    using timers = stopTimers();
    const pool = await openPausedPool(wire, { connectTimeoutMs: 300 });
    const clock: Clock = { now: Date.now, setTimeout, clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout) };
    const transport = poolTransport({
      pool,
      pooled: false,
      cancel: true,
      named: true,
      pipelined: true,
      known: true,
      asksAhead: true,
      sessionState: true,
      statementTimeoutMs: null,
      clock,
    });
    wire.holdServer();
    const call = { rowMode: "object", parsers: types, readOnly: false, idempotent: true, attempt: 1 } as const;
    const cancellation = makeDeadline(clock, { deadlineMs: Number.POSITIVE_INFINITY });
    const failure = failureOf(transport.query({ text: "insert into freshness_silence values (1)", values: [] }, { ...call, cancellation }));
    await passSilence(pool, timers);
    await until(async () => (await countRows()) === 1);
    timers.pass(300);
    expect(await failure).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    wire.resume();
    await pool.end();
  });

  test.each([
    ["a write", (db: Database) => db.query(insert, { deadlineMs: 1_000 })],
    ["a batch", (db: Database) => db.batch([insert], { deadlineMs: 1_000 })],
    ["a transaction", (db: Database) => db.transaction((tx) => tx.query(insert), { deadlineMs: 1_000 })],
    ["a readOnly query", (db: Database) => db.query("select 1", [], { readOnly: true, deadlineMs: 1_000 })],
  ] as const)("end the call at its deadline, and free its slot: %s", async (_, send) => {
    using timers = stopTimers();
    const { db } = await openPaused(wire, { connectTimeoutMs: 300 });
    await using _db = db;
    wire.hold();
    const error = await failureInTime(timers, () => send(db));
    expect(["CONNECT_TIMEOUT", "DEADLINE_EXCEEDED"]).toContain(error.code);
    wire.resume();
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(db.stats()).toMatchObject({ total: 1, waiting: 0, running: 0, discarded: 1 });
    expect(await countRows()).toBe(0);
  });
});
