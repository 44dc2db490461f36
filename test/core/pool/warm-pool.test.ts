import { once } from "node:events";
import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { startWire } from "../../support/wire.ts";
import { openDirect, pgFailureOf, until, urlAt } from "../databases.ts";

/** A pool that is ended with its scope. */
function open(options: WarmPoolOptions = {}): WarmPool & AsyncDisposable {
  const pool = new WarmPool(options.connectionString === undefined ? { url: urlAt(), ...options } : options);
  return Object.assign(pool, { [Symbol.asyncDispose]: () => (pool.closing ? Promise.resolve() : pool.end()) });
}

describe("WarmPool in the place of pg.Pool", () => {
  test("is what ORMs and platforms look for", async () => {
    await using pool = open();
    expect(pool).toBeInstanceOf(pg.Pool);
    expect(pool.constructor.name).toContain("Pool");
    expect("idleTimeoutMillis" in pool.options).toBe(true);
    expect(pool.options.max).toBe(10);
  });

  test.each([
    ["itself", () => WarmPool],
    ["a class derived from it", () => class Own extends WarmPool {}],
  ])("works where pg.Pool is %s", async (_, made) => {
    const { Pool } = pg;
    try {
      Object.assign(pg, { Pool: made() });
      await using pool = open();
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      await using own = Object.assign(new pg.Pool({ connectionString: urlAt() }), { [Symbol.asyncDispose]: () => own.end() });
      const answered = new Promise((resolve) => own.query("select 2 as two", (_error, result) => resolve(result.rows)));
      expect(await answered).toEqual([{ two: 2 }]);
    } finally {
      Object.assign(pg, { Pool });
    }
  });

  test("takes pg's connectionString, and refuses what it does not know", async () => {
    await using pool = open({ connectionString: urlAt() });
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(() => new WarmPool({ connectionString: urlAt(), maximum: 3 } as object)).toThrow(/maximum/);
  });

  test("answers promises and callbacks", async () => {
    await using pool = open({ max: 1 });
    expect((await pool.query<{ n: number }>("select $1::int as n", [1])).rows).toEqual([{ n: 1 }]);
    const rows = await new Promise((resolve, reject) => {
      pool.query("select $1::int as n", [2], (error, result) => (error ? reject(error) : resolve(result.rows)));
    });
    expect(rows).toEqual([{ n: 2 }]);
    const pid = await new Promise((resolve, reject) => {
      pool.connect((error, client, release) => {
        if (client === undefined) return reject(error);
        client.query("select 3 as n", (failure, result) => {
          release();
          if (failure) reject(failure);
          else resolve(result.rows);
        });
      });
    });
    expect(pid).toEqual([{ n: 3 }]);
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0]);
  });

  test("tells of connections, releases and their end", async () => {
    await using pool = open();
    const seen: string[] = [];
    for (const event of ["connect", "acquire", "release", "remove"] as const) pool.on(event, () => seen.push(event));
    await pool.query("select 1");
    expect(seen).toEqual(["connect", "acquire", "release"]);
    const removed = once(pool, "remove");
    await pool.end();
    await removed;
    expect(seen.at(-1)).toBe("remove");
  });

  test("survives the death of an idle and of a held connection without a listener", async () => {
    await using direct = await openDirect();
    await using pool = open({ max: 2 });
    const held = await pool.connect();
    const idle = await pool.connect();
    const pids = await Promise.all([held, idle].map(async (client) => (await client.query("select pg_backend_pid() as pid")).rows[0].pid));
    idle.release();
    const ended = new Promise((resolve) => held.once("end", resolve));
    for (const pid of pids) await direct.query("select pg_terminate_backend($1)", [pid]);
    await ended;
    await until(() => pool.totalCount === 0);
    held.release();
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("rolls back a transaction that a client is released in, before anybody else gets the client", async () => {
    await using pool = open({ max: 1 });
    const first = await pool.connect();
    const { pid } = (await first.query("select pg_backend_pid() as pid")).rows[0];
    await first.query("begin");
    await first.query("create table warm_pool_left (id int)");
    first.release();
    const second = await pool.connect();
    expect((await second.query("select pg_backend_pid() as pid, to_regclass('warm_pool_left') as left")).rows).toEqual([
      { pid, left: null },
    ]);
    void second.query("begin");
    second.release();
    const third = await pool.connect();
    await third.query("select 1");
    expect(third.getTransactionStatus()).toBe("I");
    third.release();
  });

  test("ends a swallowed connection by itself, and lets it hold up nobody", async () => {
    await using wire = await startWire(inject("postgres"));
    await using pool = open({ url: urlAt(wire), max: 1 });
    const client = await pool.connect();
    wire.hold("open");
    const ended = new Promise((resolve) => client.once("end", resolve));
    const waiting = pool.query("select 1 as one");
    client.release(true);
    expect((await waiting).rows).toEqual([{ one: 1 }]);
    await ended;
    wire.resume();
  });

  test("destroys a client whose ROLLBACK gets no answer", async () => {
    await using wire = await startWire(inject("postgres"));
    await using pool = open({ url: urlAt(wire), max: 1 });
    const client = await pool.connect();
    await client.query("begin");
    wire.hold("open");
    client.release();
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(pool.state).toMatchObject({ connects: 2, discarded: 1 });
    wire.resume();
  });

  test("refuses to take a client back twice", async () => {
    await using pool = open({ max: 1 });
    const client = await pool.connect();
    client.release();
    expect(() => client.release()).toThrow(/released|given back/i);
    expect((await pool.query("select 1")).rowCount).toBe(1);
  });

  test("serves who came before end, and refuses who comes after", async () => {
    const pool = open({ max: 1 });
    await pool.query("select 0");
    const earlier = [1, 2, 3].map((number) => pool.query("select $1::int as n", [number]));
    const ended = pool.end();
    expect(await pgFailureOf(pool.query("select 4"))).toMatchObject({ code: "CLOSED", fate: "not-sent" });
    expect((await Promise.all(earlier)).map(({ rows }) => rows[0].n)).toEqual([1, 2, 3]);
    await ended;
    expect(pool.totalCount).toBe(0);
    expect(await pgFailureOf(pool.end())).toMatchObject({ code: "CLOSED" });
  });

  test("bounds waiting by its own code", async () => {
    await using pool = open({ max: 1, acquireTimeoutMs: 50 });
    const client = await pool.connect();
    expect(await pgFailureOf(pool.connect())).toMatchObject({ code: "ACQUIRE_TIMEOUT", fate: "not-sent" });
    client.release();
  });

  test("keeps its ledger", async () => {
    await using pool = open({ max: 1 });
    await pool.query("select 1");
    await pool.query("select 2");
    expect(pool.state.connects).toBe(1);
  });
});
