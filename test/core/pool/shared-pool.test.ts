import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import { ConfigError, createDatabase } from "../../../src/entry/node.ts";
import { sharedPool, WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { failureOf, openDirect, pgFailureOf, until } from "../databases.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const settings = (name: string = randomUUID()) => ({ url: inject("postgres").url, max: 2, name }) satisfies WarmPoolOptions;

describe("what sharedPool gives", () => {
  test("is a pg.Pool by class, by name and by shape, before it has read anything", async () => {
    vi.stubEnv("DATABASE_URL", undefined);
    const pool = sharedPool();
    expect(pool).toBeInstanceOf(pg.Pool);
    expect(pool.constructor.name).toContain("Pool");
    expect([pool.totalCount, pool.idleCount, pool.waitingCount, pool.ending, pool.ended]).toEqual([0, 0, 0, false, false]);
    pool.on("error", () => {});
    expect(await failureOf(pool.query("select 1"))).toBeInstanceOf(ConfigError);
    expect(await failureOf(pool.connect())).toMatchObject({ code: "MISSING_SETTING" });
    const { options } = pool;
    expect(() => options.max).toThrow(ConfigError);
    expect(() => ({ ...options })).toThrow(ConfigError);
    vi.stubEnv("DATABASE_URL", inject("postgres").url);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  test("refuses at once what is wrong in itself", () => {
    expect(() => sharedPool({ maximum: 3 } as object)).toThrow(ConfigError);
  });

  test.each(["workerd", "edge-light"] as const)("says on %s what helps, where it was bundled by the wrong condition", async (runtime) => {
    const error = { name: "ConfigError", code: "NO_TRANSPORT", message: expect.stringContaining("condition workerd") };
    expect(await failureOf(sharedPool({ ...settings(), runtime }).query("select 1"))).toMatchObject(error);
    expect(() => new WarmPool({ ...settings(), runtime })).toThrow(ConfigError);
  });

  test("says nothing of a secret when it is looked at", async () => {
    const pool = sharedPool(settings());
    const { inspect } = await import("node:util");
    await pool.query("select 1");
    expect(inspect(pool, { depth: 10 })).not.toContain(inject("postgres").password);
    await pool.end();
  });

  test("has the options and the counts of the pool that it shares", async () => {
    const own = settings();
    const pool = sharedPool(own);
    await using db = createDatabase({ ...own, transport: "pool" });
    const client = await pool.connect();
    await db.query("select 1");
    expect({ ...pool.options }).toMatchObject({ max: 2, idleTimeoutMillis: 30_000 });
    expect("max" in pool.options).toBe(true);
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([2, 1, 0]);
    const second = await pool.connect();
    const waiting = db.query("select 2");
    await until(() => pool.waitingCount === 1);
    client.release();
    second.release();
    await waiting;
    await pool.end();
    expect([pool.totalCount, pool.ending, pool.ended]).toEqual([0, true, true]);
  });

  test("answers promises and callbacks, and a client is taken back once", async () => {
    const pool = sharedPool(settings());
    const rows = await new Promise((resolve, reject) => {
      pool.query("select $1::int as n", [2], (error, result) => (error ? reject(error) : resolve(result.rows)));
    });
    expect(rows).toEqual([{ n: 2 }]);
    const client = await pool.connect();
    expect((await client.query("select 3 as n")).rows).toEqual([{ n: 3 }]);
    client.release();
    expect(() => client.release()).toThrow(/already been released/);
    const ended = await new Promise((resolve) => pool.end(() => resolve("ended")));
    expect(ended).toBe("ended");
    const refused = await new Promise((resolve) => pool.connect((error) => resolve(error)));
    expect(refused).toMatchObject({ code: "CLOSED" });
  });

  test("emits what a pg.Pool emits, of the connections it shares, and listens to nothing once it has ended", async () => {
    const own = settings();
    const pool = sharedPool(own);
    const seen: string[] = [];
    for (const event of ["connect", "acquire", "release", "remove", "error"] as const) pool.on(event, () => seen.push(event));
    await using db = createDatabase({ ...own, transport: "pool", max: 2 });
    await pool.query("select 1");
    expect(seen).toEqual(["connect", "acquire", "release"]);
    await db.query("select 1");
    expect(seen.slice(3)).toEqual(["acquire", "release"]);
    await using direct = await openDirect();
    const { rows } = await pool.query("select pg_backend_pid() as pid");
    await direct.query("select pg_terminate_backend($1)", [rows[0].pid]);
    await until(() => seen.includes("error") && seen.includes("remove"));
    await pool.end();
    seen.length = 0;
    await db.query("select 1");
    expect(seen).toEqual([]);
  });

  test("survives the death of an idle connection without a listener", async () => {
    const pool = sharedPool(settings());
    const { rows } = await pool.query("select pg_backend_pid() as pid");
    await using direct = await openDirect();
    await direct.query("select pg_terminate_backend($1)", [rows[0].pid]);
    await until(() => pool.totalCount === 0);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  test("ends when what it handed out has come back, and refuses new work at once", async () => {
    const own = settings();
    await using db = createDatabase({ ...own, transport: "pool" });
    await db.query("select 1");
    const pool = sharedPool(own);
    const client = await pool.connect();
    let ended = false;
    const ending = pool.end().then(() => {
      ended = true;
    });
    expect(await pgFailureOf(pool.query("select 1"))).toMatchObject({ code: "CLOSED" });
    await db.query("select 1");
    expect(ended).toBe(false);
    client.release();
    await ending;
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("is a handle each time, however many are made and forgotten, over one pool", async () => {
    const own = settings();
    const pids = new Set<number>();
    for (let request = 0; request < 50; request++) pids.add((await sharedPool(own).query("select pg_backend_pid() as pid")).rows[0].pid);
    expect(pids.size).toBe(1);
    expect(sharedPool(own)).not.toBe(sharedPool(own));
  });

  test("takes an ORM's queries and transactions, and its end leaves the database at work", async () => {
    const own = settings();
    await using db = createDatabase({ ...own, transport: "pool" });
    const pool = sharedPool(own);
    const orm = drizzle(pool);
    const pid = sql`select pg_backend_pid() as pid`;
    const { rows } = await orm.execute(pid);
    expect(await orm.transaction(async (tx) => (await tx.execute(pid)).rows)).toEqual(rows);
    expect((await db.query("select pg_backend_pid() as pid")).rows).toEqual(rows);
    // as Kysely's destroy() does
    await orm.$client.end();
    expect((await db.query("select pg_backend_pid() as pid")).rows).toEqual(rows);
  });
});
