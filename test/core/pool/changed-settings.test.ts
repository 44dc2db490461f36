import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, inject, type MockInstance, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, type HeldPool } from "../../../src/entry/node.ts";
import { failureOf, openDirect, until } from "../databases.ts";

let warn: MockInstance<typeof console.warn>;
let name: string;

beforeEach(() => {
  warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  name = randomUUID();
});
afterEach(() => void vi.restoreAllMocks());

const open = (options: DatabaseOptions = {}) =>
  createDatabase({ url: inject("postgres").url, transport: "pool", max: 1, name, ...options });
const connectionOf = async (db: Database) => (await db.query("select 1")).via.connectionId;

/** The size of the pool a handle uses, as Postgres sees it: how many calls run at once. */
async function widthOf(db: Database): Promise<number> {
  const { rows } = await db.query("select pg_sleep(0)");
  expect(rows).toHaveLength(1);
  const sessions = await Promise.all(Array.from({ length: 6 }, () => db.query("select pg_backend_pid() as pid, pg_sleep(0.02)")));
  return new Set(sessions.map((result) => result.rows[0]?.pid)).size;
}

describe("when a second handle comes with other settings", () => {
  test("every call of both succeeds, the newer's max holds for both, and the last close leaves no backend", async () => {
    await using direct = await openDirect();
    const applicationName = `changed ${name}`;
    const backends = async () =>
      (await direct.query("select 1 from pg_stat_activity where application_name = $1", [applicationName])).rowCount;
    const older = open({ applicationName, max: 4 });
    const before = Array.from({ length: 50 }, () => older.query("select 1 as one"));
    const newer = open({ applicationName, max: 2 });
    const after = Array.from({ length: 150 }, (_, turn) => (turn % 2 === 0 ? newer : older).query("select 1 as one"));
    const results = await Promise.allSettled([...before, ...after]);
    expect(results.filter(({ status }) => status === "rejected")).toEqual([]);
    await until(async () => ((await backends()) ?? 0) <= 2);
    expect([await widthOf(older), await widthOf(newer), await backends()]).toEqual([2, 2, 2]);
    await newer.close();
    expect(await older.query("select 1 as one")).toMatchObject({ rows: [{ one: 1 }] });
    await older.close();
    await until(async () => (await backends()) === 0);
  });

  test("the older one's next calls do not bring its limits back, and the difference is told once, by its name", async () => {
    await using older = open();
    await connectionOf(older);
    await using newer = open({ max: 2 });
    const connection = await connectionOf(newer);
    for (const db of [older, newer, older, newer]) expect(await connectionOf(db)).toBe(connection);
    await using newest = open({ max: 3 });
    await connectionOf(newest);
    expect(await widthOf(older)).toBe(3);
    expect(warn.mock.calls.map(([message]) => message)).toEqual([expect.stringContaining("made with different max. ")]);
    expect(String(warn.mock.calls)).not.toContain(name);
  });

  test("a handle that was made before, and calls for the first time, uses the newer's limits", async () => {
    await using older = open();
    await using newer = open({ max: 2 });
    const connection = await connectionOf(newer);
    expect(await connectionOf(older)).toBe(connection);
    expect(await widthOf(older)).toBe(2);
  });

  test("the older limits hold again when the newer handle is closed", async () => {
    await using older = open();
    await connectionOf(older);
    const newer = open({ max: 2, password: "wrong" });
    expect(await failureOf(newer.query("select 1"))).toMatchObject({ code: "28P01" });
    expect(await widthOf(older)).toBe(2);
    await newer.close();
    expect(await widthOf(older)).toBe(1);
  });

  test("who waits is served at once where the newer limits leave room, and who is served keeps what it has", async () => {
    await using older = open();
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = older.session(async (session) => {
      await promise;
      return session.query("select 1 as one");
    });
    await until(() => older.stats().total === 1);
    const waiting = older.query("select 2 as two");
    await until(() => older.stats().waiting === 1);
    await using newer = open({ max: 2 });
    const connection = await connectionOf(newer);
    expect((await waiting).rows).toEqual([{ two: 2 }]);
    expect((await waiting).via.connectionId).toBe(connection);
    resolve();
    expect((await running).rows).toEqual([{ one: 1 }]);
    expect((await running).via.connectionId).not.toBe(connection);
  });

  test("a call that is on its way to an idle connection is not lost", async () => {
    await using older = open();
    await older.query("select 1");
    const running = older.query("select 2 as two");
    await using newer = open({ max: 2 });
    const next = newer.query("select 3 as three");
    expect([(await running).rows, (await next).rows]).toEqual([[{ two: 2 }], [{ three: 3 }]]);
  });

  test("the pool they share is shown once to the function that looks after pools, and one of another identity once more", async () => {
    const shown: HeldPool[] = [];
    await using older = open({ onPool: (pool) => shown.push(pool) });
    await connectionOf(older);
    await using newer = open({ max: 2 });
    await connectionOf(newer);
    await connectionOf(older);
    expect(shown).toHaveLength(1);
    await using other = open({ applicationName: "another", onPool: (pool) => shown.push(pool) });
    await connectionOf(other);
    expect(new Set(shown).size).toBe(2);
  });
});

test("a direct connection to the same name leaves the pool as it is", async () => {
  const direct = new URL(inject("postgres").url);
  direct.hostname = direct.hostname === "localhost" ? "127.0.0.1" : "localhost";
  await using db = open({ directUrl: direct.href });
  const connection = await connectionOf(db);
  await db.script("select 1; select 2");
  expect(await connectionOf(db)).toBe(connection);
  expect(warn).not.toHaveBeenCalled();
});
