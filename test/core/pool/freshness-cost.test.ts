import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { WarmPool } from "../../../src/entry/pool.ts";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, urlAt } from "../databases.ts";
import { pause, stopWallClock } from "./passing-time.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table freshness_cost (id int)");
  wire = await startWire(inject("postgres"));
});
afterAll(async () => {
  await wire.close();
  await direct.query("drop table freshness_cost");
  await direct.end();
});

// what nobody pauses for was used a moment ago, and who is asked may take its time: on a slow machine too
beforeEach(() => {
  stopWallClock();
  const timers = stopTimers();
  return () => timers[Symbol.dispose]();
});

const insert = sql`insert into freshness_cost values (1)`;
const countRows = async () => Number((await direct.query("select count(*) from freshness_cost")).rows[0].count);

/** A call, the rows it writes, and the round trips it costs: warm, and after a pause. */
const calls: readonly (readonly [string, (db: Database) => Promise<unknown>, number, number, number])[] = [
  ["a write", (db) => db.query(insert), 1, 1, 2],
  ["a readOnly query", (db) => db.query("select 1", [], { readOnly: true }), 0, 1, 1],
  ["an idempotent query", (db) => db.query(insert, { idempotent: true }), 1, 1, 1],
  ["a batch", (db) => db.batch([insert, insert]), 2, 1, 2],
  ["a readOnly batch", (db) => db.batch([sql`select 1`, sql`select 2`], { readOnly: true }), 0, 1, 1],
  ["an idempotent batch", (db) => db.batch([insert, insert], { idempotent: true }), 2, 1, 1],
  ["a transaction of one statement", (db) => db.transaction((tx) => tx.query(insert)), 1, 2, 2],
  [
    "a transaction of three statements",
    (db) =>
      db.transaction(async (tx) => {
        for (let sent = 0; sent < 3; sent++) await tx.query(insert);
      }),
    3,
    4,
    4,
  ],
  [
    "a session of two queries",
    (db) =>
      db.session(async (session) => {
        await session.query(insert);
        await session.query(insert);
      }),
    2,
    2,
    3,
  ],
  ["a script", (db) => db.script("insert into freshness_cost values (1); insert into freshness_cost values (2)"), 2, 1, 2],
];

describe("a database", () => {
  let db: Database;
  beforeEach(async () => {
    await direct.query("truncate freshness_cost");
    db = openPool({ url: urlAt(wire), max: 1 });
    await db.query("select 1");
    wire.reset();
  });
  afterEach(() => db.close());

  test.each(calls)("that was used a moment ago asks nothing: %s", async (_, send, rows, trips) => {
    await send(db);
    expect([wire.roundTrips(), db.stats().probes, await countRows()]).toEqual([trips, 0, rows]);
  });

  test.each(calls)("asks once after a pause, as cheaply as the call allows: %s", async (_, send, rows, _warm, trips) => {
    pause();
    await send(db);
    expect([wire.roundTrips(), db.stats().probes, await countRows()]).toEqual([trips, 1, rows]);
    await send(db);
    expect(db.stats()).toMatchObject({ probes: 1, connects: 1, discarded: 0, retries: 0 });
  });

  test("asks nothing after a pause when there is nothing to send, and asks then by the next call", async () => {
    pause();
    expect(await db.transaction(async () => "nothing")).toBe("nothing");
    expect([wire.roundTrips(), db.stats().probes]).toEqual([0, 0]);
    await db.query(insert);
    expect([wire.roundTrips(), db.stats().probes]).toEqual([2, 1]);
  });

  test.each([
    ["readOnly", () => db.query("select 1 / 0", [], { readOnly: true }), "22012"],
    ["idempotent", () => db.query("select 1 / 0", [], { idempotent: true }), "22012"],
    ["transaction", () => db.transaction((tx) => tx.sql`select 1 / 0`), "22012"],
    ["syntax", () => db.query("selekt", [], { idempotent: true }), "42601"],
  ] as const)("takes the server's refusal for a sign of life (%s)", async (_, send, code) => {
    pause();
    expect(await failureOf(send())).toMatchObject({ code, fate: "refused" });
    await db.query("select 1");
    expect(db.stats()).toMatchObject({ probes: 1, connects: 1, discarded: 0, retries: 0 });
  });

  test("gives the rows, the fields and the way of a call that asked", async () => {
    pause();
    const result = await db.query("select $1::int as n, 'x' as t", ["7"], { readOnly: true });
    expect(result.rows).toEqual([{ n: 7, t: "x" }]);
    expect(result.fields.map(({ name }) => name)).toEqual(["n", "t"]);
    expect(result.via).toMatchObject({ reused: true, attempts: 1 });
  });

  test("lets statements that nobody waits for run in their order behind the one that asks", async () => {
    pause();
    await db.transaction(async (tx) => {
      void tx.query(insert);
      void tx.query(insert);
    });
    expect([await countRows(), db.stats().probes]).toEqual([2, 1]);
    pause();
    await db.session(async (session) => {
      void session.query(insert);
    });
    expect((await db.query<{ count: string }>("select count(*) from freshness_cost")).rows[0]?.count).toBe("3");
    expect(db.stats()).toMatchObject({ probes: 2, connects: 1, discarded: 0 });
  });
});

describe("a pool that is used as pg's own", () => {
  let pool: WarmPool;
  beforeEach(async () => {
    pool = new WarmPool({ url: urlAt(wire), max: 1 });
    await pool.query("select 1");
    wire.reset();
  });
  afterEach(() => pool.end());

  const ways = {
    "query with a promise": () => pool.query("select 1 as one").then(({ rows }) => rows),
    "query with a callback": () =>
      new Promise((resolve, reject) => {
        pool.query("select 1 as one", (error, result) => (error ? reject(error) : resolve(result.rows)));
      }),
    "connect with a promise": async () => {
      const client = await pool.connect();
      const { rows } = await client.query("select 1 as one");
      client.release();
      return rows;
    },
    "connect with a callback": () =>
      new Promise((resolve, reject) => {
        pool.connect((error, client, release) => {
          if (client === undefined) return reject(error);
          client.query("select 1 as one").then(({ rows }) => {
            release();
            resolve(rows);
          }, reject);
        });
      }),
  };

  test.each(Object.entries(ways))("asks nothing a moment after its last use, and once after a pause: %s", async (_, send) => {
    expect(await send()).toEqual([{ one: 1 }]);
    expect([wire.roundTrips(), pool.state.probes]).toEqual([1, 0]);
    pause();
    expect(await send()).toEqual([{ one: 1 }]);
    expect([wire.roundTrips(), pool.state.probes]).toEqual([3, 1]);
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });
});

describe("a connection that is too old", () => {
  test("is replaced without asking when the other end has closed it by its own limit", async () => {
    await using db = openPool({ url: urlAt(wire), max: 1, target: "pgbouncer" });
    await db.query("select 1");
    pause(600_000);
    expect((await db.query("select 1")).via).toMatchObject({ reused: false, attempts: 1 });
    expect(db.stats()).toMatchObject({ probes: 0, connects: 2, discarded: 1, total: 1 });
  });

  test("is replaced without asking at the end of its lifetime, however busy it was", async () => {
    await using db = openPool({ url: urlAt(wire), max: 1, lifetimeMs: 10_000 });
    await db.query("select 1");
    pause(500);
    for (let elapsedMs = 500; elapsedMs < 10_000; elapsedMs += 500) {
      await db.query("select 1");
      pause(500);
    }
    expect((await db.query("select 1")).rowCount).toBe(1);
    expect(db.stats()).toMatchObject({ probes: 0, connects: 2, discarded: 1, total: 1 });
  });
});
