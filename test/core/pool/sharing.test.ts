import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { failureOf, openDirect, openPool, until } from "../databases.ts";

afterEach(() => void vi.restoreAllMocks());

const connectionOf = async (db: Database) => (await db.query("select 1")).via.connectionId;
const open = (options: DatabaseOptions = {}) => createDatabase({ url: inject("postgres").url, transport: "pool", max: 1, ...options });

describe("two databases made from one URL", () => {
  test("share one pool", async () => {
    await using first = open();
    await using second = open();
    expect(await connectionOf(second)).toBe(await connectionOf(first));
    expect(first.stats()).toMatchObject({ total: 1, connects: 1, reuses: 1 });
    expect(second.stats()).toMatchObject({ total: 1, connects: 1, reuses: 1 });
  });

  test("keep their own parsers on the shared pool", async () => {
    await using first = open({ types: { 20: BigInt } });
    await using second = open();
    const text = "select 7::int8 as n";
    const rows = await Promise.all([first.query(text), second.query(text), first.query(text)]);
    expect(rows.map((result) => result.rows[0]?.n)).toEqual([7n, "7", 7n]);
    expect(first.stats().connects).toBe(1);
  });

  test("keep the pool until the last of them is closed", async () => {
    await using direct = await openDirect();
    const applicationName = `core ${randomUUID()}`;
    const sessions = async () =>
      (await direct.query("select 1 from pg_stat_activity where application_name = $1", [applicationName])).rowCount;
    const name = randomUUID();
    const first = open({ name, applicationName });
    const second = open({ name, applicationName });
    const connection = await connectionOf(first);
    await connectionOf(second);
    await first.close();
    await first.close();
    expect(await connectionOf(second)).toBe(connection);
    expect(await sessions()).toBe(1);
    await second.close();
    await until(async () => (await sessions()) === 0);
    await using third = open({ name, applicationName });
    expect(await connectionOf(third)).not.toBe(connection);
  });

  test("have pools of their own when database, user or name differ", async () => {
    await using first = open();
    await using database = open({ database: "postgres" });
    await using name = open({ name: randomUUID() });
    const connections = await Promise.all([first, database, name].map(connectionOf));
    expect(new Set(connections).size).toBe(3);
    expect((await database.query("select current_database() as name")).rows).toEqual([{ name: "postgres" }]);
  });
});

describe("close", () => {
  test("waits for what runs and what waits in the queue, and refuses what comes after", async () => {
    const db = openPool({ max: 1 });
    const done: string[] = [];
    const running = db.query("select pg_sleep(0.05)").then(() => done.push("running"));
    const queued = db.query("select 1").then(() => done.push("queued"));
    const closed = db.close().then(() => done.push("closed"));
    for (const call of [
      () => db.query("select 1"),
      () => db.batch([sql`select 1`]),
      () => db.transaction(async () => {}),
      () => db.session(async () => {}),
    ]) {
      expect(await failureOf(call())).toMatchObject({ name: "UsageError", code: "CLOSED", fate: "not-sent" });
    }
    await Promise.all([running, queued, closed]);
    expect(done).toEqual(["running", "queued", "closed"]);
    expect(db.stats()).toMatchObject({ total: 0, running: 0 });
  });

  test("costs nothing before the first call, and may be called again", async () => {
    const db = openPool();
    await db.close();
    await db.close();
    await db[Symbol.asyncDispose]();
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "CLOSED" });
  });
});

test("fifty pools at once raise one warning", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const databases = Array.from({ length: 55 }, () => openPool({ max: 1 }));
  try {
    for (const db of databases) await db.query("select 1");
    const warnings = warn.mock.calls.map(([message]) => String(message)).filter((message) => message.includes("pools"));
    expect(warnings).toEqual([expect.stringContaining("50 pools are open")]);
  } finally {
    await Promise.all(databases.map((db) => db.close()));
  }
});
