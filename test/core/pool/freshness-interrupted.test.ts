import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { pause, stopWallClock } from "./passing-time.ts";
import { openPaused, openPausedPool } from "./paused.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table freshness_interrupted (id int)");
});
beforeEach(async () => {
  await direct.query("truncate freshness_interrupted");
  wire = await startWire(inject("postgres"));
});
afterEach(() => wire.close());
afterAll(async () => {
  await direct.query("drop table freshness_interrupted");
  await direct.end();
});

const insert = sql`insert into freshness_interrupted values (1)`;
const countRows = async () => Number((await direct.query("select count(*) from freshness_interrupted")).rows[0].count);

/** Resolves when so many connections have come to the wire, however far they got. */
const opened = (count: number) => until(() => wire.connections() === count);

describe("a call that is cancelled while its connection is asked", () => {
  test.each([
    ["a write", (db: Database, signal: AbortSignal) => db.query(insert, { signal }), "not-sent"],
    ["a batch", (db: Database, signal: AbortSignal) => db.batch([insert], { signal }), "not-sent"],
    ["an idempotent write", (db: Database, signal: AbortSignal) => db.query(insert, { signal, idempotent: true }), "unknown"],
    ["a transaction", (db: Database, signal: AbortSignal) => db.transaction((tx) => tx.query(insert), { signal }), "refused"],
  ] as const)("ends soon, and the next is served: %s", async (_, send, fate) => {
    const { db } = await openPaused(wire);
    await using _db = db;
    const abort = new AbortController();
    wire.hold();
    const failure = failureOf(send(db, abort.signal));
    await opened(2);
    abort.abort();
    expect(await failure).toMatchObject({ code: "ABORTED", fate });
    // what was swallowed on the first connection is lost with it
    wire.cut();
    wire.resume();
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(db.stats()).toMatchObject({ total: 1, waiting: 0, running: 0, retries: 0 });
    expect(await countRows()).toBe(0);
  });

  test("and never sent leaves no statement behind when the connection answers after all", async () => {
    const { db, connectionId } = await openPaused(wire);
    await using _db = db;
    const abort = new AbortController();
    wire.hold();
    const failure = failureOf(db.query(insert, { signal: abort.signal }));
    await opened(2);
    abort.abort();
    await failure;
    wire.resume();
    expect((await db.query("select 1")).via.connectionId).toBe(connectionId);
    expect([await countRows(), db.stats().discarded]).toEqual([0, 0]);
  });
});

describe("a pool that is ended while it asks", () => {
  test("serves the call first, and leaves nothing open", async () => {
    const pool = await openPausedPool(wire);
    wire.hold("open");
    const sent = pool.query("insert into freshness_interrupted values (1)");
    await new Promise((resolve) => setImmediate(resolve));
    const ended = pool.end();
    await sent;
    await ended;
    expect([pool.totalCount, await countRows()]).toEqual([0, 1]);
    wire.resume();
    await until(() => wire.openConnections() === 0);
  });

  test("serves the call first although its connection is found dead after the end was asked for", async () => {
    const pool = await openPausedPool(wire);
    wire.cut();
    const sent = pool.query("insert into freshness_interrupted values (1)");
    const ended = pool.end();
    await sent;
    await ended;
    expect([pool.totalCount, pool.state.connects, await countRows()]).toEqual([0, 2, 1]);
  });

  test.each([
    ["a write", (db: Database) => db.query(insert)],
    ["a transaction", (db: Database) => db.transaction((tx) => tx.query(insert))],
  ] as const)("serves the call of a database first: %s", async (_, send) => {
    const { db } = await openPaused(wire);
    wire.hold("open");
    const sent = send(db);
    await opened(2);
    const ended = db.close();
    await sent;
    await ended;
    wire.resume();
    await until(() => wire.openConnections() === 0);
    expect(await countRows()).toBe(1);
  });
});

describe("a connection that dies while nobody uses it", () => {
  test("makes its neighbours suspect: they are asked, however short ago they were used", async () => {
    stopWallClock();
    await using db = openPool({ url: urlAt(wire), max: 2 });
    const pids = await Promise.all(
      [1, 2].map(async () => (await db.query<{ pid: number }>("select pg_backend_pid() as pid, pg_sleep(0.1)")).rows[0]?.pid),
    );
    expect(db.stats()).toMatchObject({ total: 2, probes: 0 });
    pause(1);
    await direct.query("select pg_terminate_backend($1)", [pids[0]]);
    await until(() => db.stats().total === 1);
    await db.query(insert);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1, probes: 1 });
    await db.query(insert);
    expect(db.stats().probes).toBe(1);
  });
});

describe("a transaction whose connection died in the pause", () => {
  test("waits for another as long as a query would be repeated, and runs its callback once", async () => {
    const { db, connectionId } = await openPaused(wire);
    await using _db = db;
    let refusals = 0;
    wire.cutAt(({ from, type }) => from === "client" && type === "P");
    wire.onMessage(({ type }) => type === "startup" && ++refusals < 4 && wire.cut());
    let runs = 0;
    const via = await db.transaction(async (tx) => {
      runs++;
      return (await tx.query(insert)).via;
    });
    expect([runs, await countRows(), via.connectionId === connectionId]).toEqual([1, 1, false]);
    // three that were cut during login, and the one that was not
    expect(wire.connections()).toBe(5);
  });

  test("gives up when none is to be had, and has sent nothing", async () => {
    const { db } = await openPaused(wire);
    await using _db = db;
    wire.cutAt(({ from, type }) => from === "client" && type === "P");
    wire.onMessage(({ type }) => type === "startup" && wire.cut());
    const error = await failureOf(db.transaction((tx) => tx.query(insert)));
    expect(error).toMatchObject({ name: "ConnectionError", fate: "not-sent", retryable: true });
    expect([wire.connections(), await countRows()]).toEqual([6, 0]);
  });

  test("gives up when its signal is aborted", async () => {
    const { db } = await openPaused(wire);
    await using _db = db;
    const abort = new AbortController();
    wire.cutAt(({ from, type }) => from === "client" && type === "P");
    wire.onMessage(({ type }) => {
      if (type !== "startup") return;
      wire.cut();
      abort.abort();
    });
    const error = await failureOf(db.transaction((tx) => tx.query(insert), { signal: abort.signal }));
    expect(error).toMatchObject({ code: "ABORTED" });
    expect(["not-sent", "refused"]).toContain(error.fate);
    await until(() => db.stats().total === 0);
    expect([wire.connections(), await countRows()]).toEqual([2, 0]);
  });
});
