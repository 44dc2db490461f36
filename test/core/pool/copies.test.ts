import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import type { DatabaseEvent } from "../../../src/entry/node.ts";
import * as original from "../../../src/entry/node.ts";
import { sharedPool } from "../../../src/entry/pool.ts";
import { VERSION } from "../../../src/transports/pool/version.ts";
import { loadCopy } from "../../support/package-copy.ts";
import { stopTimers } from "../../support/stopped-timers.ts";
import { failureOf, openDirect, until } from "../databases.ts";

afterEach(() => void vi.restoreAllMocks());

const settings = (name: string) => ({ url: inject("postgres").url, transport: "pool", max: 1, name }) as const;

test("the version in the source is that of package.json", async () => {
  expect(JSON.parse(await readFile("package.json", "utf8"))).toMatchObject({ version: VERSION });
});

describe("two copies of the package in one process", () => {
  test("share one pool, whose connections one opens and the other reuses", async () => {
    const copy = await loadCopy();
    const name = randomUUID();
    await using first = original.createDatabase(settings(name));
    await using second = copy.createDatabase(settings(name));
    const opened = (await first.query("select 1")).via;
    const reused = (await second.query("select 1")).via;
    expect(reused).toMatchObject({ connectionId: opened.connectionId, reused: true });
    expect(second.stats()).toMatchObject({ total: 1, connects: 1, reuses: 1 });
  });

  test("go on over one pool, and hear of it, when the limits of one change", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const copy = await loadCopy();
    const name = randomUUID();
    await using before = copy.createDatabase(settings(name));
    const connects: DatabaseEvent[] = [];
    before.subscribe((event) => event.type === "connect" && connects.push(event));
    const opened = (await before.query("select 1")).via;
    await using after = original.createDatabase({ ...settings(name), max: 2 });
    const both = await Promise.all([after, before].map(async (db) => (await db.query("select pg_sleep(0.01)")).via.connectionId));
    expect(new Set(both).size).toBe(2);
    expect(both).toContain(opened.connectionId);
    expect(new Set(connects.map((event) => event.type === "connect" && event.connectionId))).toEqual(new Set(both));
    expect(before.stats()).toMatchObject({ total: 2, connects: 2, reuses: 1 });
  });

  test("share the room for connections of several identities", async () => {
    const copy = await loadCopy();
    const name = randomUUID();
    await using first = copy.createDatabase(settings(name));
    await using second = original.createDatabase({ ...settings(name), applicationName: "another" });
    for (const db of [first, second, first]) await db.query("select 1");
    expect([first.stats(), second.stats()]).toMatchObject([
      { total: 1, connects: 2 },
      { total: 0, connects: 1 },
    ]);
  });

  test("read each other's pieces of SQL, lists of nothing among them", async () => {
    const { sql } = await loadCopy();
    await using db = original.createDatabase(settings(randomUUID()));
    const pieces = [sql`1`, sql.join([]), sql.json({ a: 1 }), sql.join([1, 2])];
    const [one, none, json, two] = pieces;
    expect(await db.sql`select ${one} as one, 1 in (${none}) as none, ${json}::jsonb as json, 2 in (${two}) as two`).toEqual([
      { one: 1, none: false, json: { a: 1 }, two: true },
    ]);
  });

  test("know each other's errors by their classes, minified or not", async () => {
    const copy = await loadCopy({ minify: true });
    const name = randomUUID();
    await using first = copy.createDatabase(settings(name));
    await using second = original.createDatabase(settings(name));
    await first.query("select 1");
    // the connection's insides are the copy's, and so is its error
    const refused = await failureOf(second.query("select 1 / 0"));
    expect(Object.getPrototypeOf(refused)).not.toBe(original.DatabaseError.prototype);
    expect(refused).toBeInstanceOf(original.DatabaseError);
    expect(refused).toBeInstanceOf(original.WarmlineError);
    expect(refused).not.toBeInstanceOf(original.ConnectionError);
    expect(refused).toMatchObject({ name: "DatabaseError", code: "22012", fate: "refused" });
    const own = await failureOf(first.query("select", [undefined]));
    expect(own).toMatchObject({ name: "UsageError", code: "UNDEFINED_VALUE" });
    expect(own).toBeInstanceOf(original.UsageError);
  });

  test("end a call that is given up on a connection the other opened", async () => {
    const copy = await loadCopy({ minify: true });
    const name = randomUUID();
    await using first = copy.createDatabase(settings(name));
    await using second = original.createDatabase(settings(name));
    await first.query("select 1");
    await using direct = await openDirect();
    // the server may take its time to answer the CancelRequest
    using _timers = stopTimers();
    const controller = new AbortController();
    const failure = failureOf(second.query("select pg_sleep(60)", [], { signal: controller.signal }));
    const sleeping = "select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and wait_event = 'PgSleep'";
    await until(async () => (await direct.query(sleeping)).rowCount === 1);
    controller.abort();
    const given = await failure;
    expect(given).toBeInstanceOf(original.CancelledError);
    expect(given).toMatchObject({ code: "ABORTED", fate: "refused" });
  });
});

test("two versions in one process share no pool, and say so once", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const older = await loadCopy({ version: "0.0.9" });
  const name = randomUUID();
  await using first = original.createDatabase(settings(name));
  await using second = older.createDatabase(settings(name));
  await using third = older.createDatabase(settings(randomUUID()));
  const backends: unknown[] = [];
  for (const db of [first, second, third, first]) backends.push((await db.query("select pg_backend_pid() as pid")).rows[0]?.pid);
  expect(new Set(backends).size).toBe(3);
  const warnings = warn.mock.calls.map(([message]) => String(message)).filter((message) => message.includes("versions"));
  expect(warnings).toEqual([
    `warmline: versions ${VERSION} and 0.0.9 of this package are loaded in one process, and share no pool. Install one of them.`,
  ]);
});

describe("sharedPool", () => {
  test("uses the connections of the database with the same settings, whoever asks first", async () => {
    const name = randomUUID();
    const pool = sharedPool(settings(name));
    const another = sharedPool(settings(name));
    await using db = original.createDatabase(settings(name));
    const pid = async () => (await db.query("select pg_backend_pid() as pid")).rows[0]?.pid;
    expect((await pool.query("select pg_backend_pid() as pid")).rows).toEqual([{ pid: await pid() }]);
    expect((await another.query("select pg_backend_pid() as pid")).rows).toEqual([{ pid: await pid() }]);
    expect(db.stats()).toMatchObject({ total: 1, connects: 1 });
    await Promise.all([pool.end(), another.end()]);
  });

  test("outlives the databases that share it", async () => {
    const name = randomUUID();
    const pool = sharedPool(settings(name));
    const pid = async () => (await pool.query("select pg_backend_pid() as pid")).rows[0].pid;
    const before = await pid();
    await original.createDatabase(settings(name)).close();
    const db = original.createDatabase(settings(name));
    await db.query("select 1");
    await db.close();
    expect(await pid()).toBe(before);
    await pool.end();
  });

  test("has the limits of the newest, and asking for older ones again does not bring them back", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const name = randomUUID();
    const pools = [sharedPool(settings(name)), sharedPool({ ...settings(name), max: 2 })];
    expect(pools.map((pool) => pool.options.max)).toEqual([1, 2]);
    pools.push(sharedPool(settings(name)));
    expect(pools.map((pool) => pool.options.max)).toEqual([2, 2, 2]);
    const db = original.createDatabase({ ...settings(name), max: 3 });
    await db.query("select 1");
    expect(pools.map((pool) => pool.options.max)).toEqual([3, 3, 3]);
    await db.close();
    expect(pools.map((pool) => pool.options.max)).toEqual([2, 2, 2]);
    await pools[1]?.end();
    expect(pools.map((pool) => pool.options.max)).toEqual([1, 1, 1]);
    await Promise.all([pools[0], pools[2]].map((pool) => pool?.end()));
  });

  test("has connections of its own for another name", async () => {
    const pools = [sharedPool(settings(randomUUID())), sharedPool(settings(randomUUID()))];
    const pids = await Promise.all(pools.map(async (pool) => (await pool.query("select pg_backend_pid() as pid")).rows[0].pid));
    expect(new Set(pids).size).toBe(2);
    await Promise.all(pools.map((pool) => pool.end()));
  });
});

describe("in a browser", () => {
  const refusal = expect.objectContaining({
    name: "ConfigError",
    code: "BROWSER",
    message: expect.stringMatching(/server(?!.*secret)/s),
  });

  test("createDatabase is refused at once, and says where to query instead", async () => {
    const { createDatabase, sql } = await import("../../../src/entry/browser.ts");
    expect(() => createDatabase("postgres://someone:secret@db.example/shop")).toThrow(refusal);
    expect(sql`select ${1}`).toBeDefined();
  });

  test("so is every pool, by the names that pools have in Node", async () => {
    const browser = await import("../../../src/entry/browser-pool.ts");
    const options = { url: "postgres://someone:secret@db.example/shop" };
    expect(() => new browser.WarmPool(options)).toThrow(refusal);
    expect(() => browser.sharedPool(options)).toThrow(refusal);
    expect(Object.keys(browser)).toEqual(Object.keys(await import("../../../src/entry/pool.ts")));
  });
});
