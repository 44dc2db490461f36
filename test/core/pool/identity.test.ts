import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import type pg from "pg";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions } from "../../../src/entry/node.ts";
import { sharedPool } from "../../../src/entry/pool.ts";
import { loadCopy } from "../../support/package-copy.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { startWire } from "../../support/wire.ts";
import { failureOf, openDirect, pgFailureOf, until } from "../databases.ts";

/** Every test has its own database, so a room of its own. */
const wallsUser = { user: "walls_user", password: "walls-secret" };

let server: PostgresServer;
let direct: Client & AsyncDisposable;
let database: string;
let warn: MockInstance<typeof console.warn>;
let made = 0;

beforeAll(async () => {
  server = await startPostgres({ tls: true });
  direct = await openDirect(server.url());
  await direct.query(`create role walls_user login password '${wallsUser.password}'`);
  await direct.query("create role walls_limited nologin");
  await direct.query("grant walls_limited to walls_user");
});
afterAll(async () => {
  await direct?.end();
  await server?.stop();
});
beforeEach(async () => {
  warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  database = `walls_${++made}`;
  await direct.query(`create database ${database}`);
});
afterEach(() => void vi.restoreAllMocks());

const open = (options: DatabaseOptions = {}): Database =>
  createDatabase({
    host: "127.0.0.1",
    port: server.port,
    database,
    ...wallsUser,
    transport: "pool",
    max: 2,
    deadlineMs: 20_000,
    ...options,
  });

const one = async (db: Database, text: string) => Object.values((await db.query(text)).rows[0] ?? {})[0];
const usesTls = (db: Database) => one(db, "select ssl from pg_stat_ssl where pid = pg_backend_pid()");
const warnings = () => warn.mock.calls.map(([message]) => String(message)).filter((message) => !message.includes("not encrypted"));

/** How many backends the server has for this test. */
async function backends(): Promise<number> {
  const { rows } = await direct.query("select count(*)::int as n from pg_stat_activity where datname = $1", [database]);
  return rows[0].n;
}

/** The most connections there are at once while something goes on, by what they lead through: the server's processes end a moment after them. */
async function mostConnectionsWhile(work: (port: number) => Promise<void>): Promise<number> {
  await using wire = await startWire(server);
  await work(wire.port);
  return wire.mostConnections();
}

describe("two handles of one host, port, database and user", () => {
  test("keep the protection each asked for: one verified by TLS, one in plain text", async () => {
    const ca = readFileSync(server.ca as string, "utf8");
    await using secure = open({ sslMode: "verify-full", ca, channelBinding: "require" });
    expect(await usesTls(secure)).toBe(true);
    await using plain = open({ sslMode: "disable" });
    expect(await usesTls(plain)).toBe(false);
    expect(await Promise.all([secure, plain, secure, plain].map(usesTls))).toEqual([true, false, true, false]);
    expect(warnings()).toEqual([]);
  });

  test("keep their roles: what one may not do, the other's connections do not do for it", async () => {
    const role = (db: Database) => one(db, "select current_user");
    await using limited = open({ startupOptions: "-c role=walls_limited" });
    expect(await role(limited)).toBe("walls_limited");
    await using free = open();
    expect(await role(free)).toBe("walls_user");
    expect(await Promise.all([limited, free, limited].map(role))).toEqual(["walls_limited", "walls_user", "walls_limited"]);
  });

  test("keep their schemas: an insert lands in the inserter's", async () => {
    await using owner = await openDirect(server.url(database));
    for (const schema of ["a", "b"]) {
      await owner.query(`create schema ${schema} authorization walls_user`);
      await owner.query(`create table ${schema}.placed (by text)`);
      await owner.query(`grant all on ${schema}.placed to walls_user`);
    }
    await using inA = open({ startupOptions: "-c search_path=a" });
    await using inB = open({ startupOptions: "-c search_path=b" });
    for (const [db, by] of [
      [inA, "a"],
      [inB, "b"],
      [inA, "a"],
    ] as const) {
      await db.query("insert into placed values ($1)", [by]);
    }
    const { rows } = await owner.query("select 'a' as schema, by from a.placed union all select 'b', by from b.placed order by 1");
    expect(rows).toEqual([
      { schema: "a", by: "a" },
      { schema: "a", by: "a" },
      { schema: "b", by: "b" },
    ]);
  });

  test("keep their secrets: one with a wrong password fails alone", async () => {
    await using right = open({ max: 1 });
    await right.query("select 1");
    await using wrong = open({ max: 1, password: "guess" });
    expect(await failureOf(wrong.query("select 1"))).toMatchObject({ code: "28P01", fate: "not-sent" });
    expect(await one(right, "select 1 as one")).toBe(1);
    expect(await failureOf(wrong.query("select 1"))).toMatchObject({ code: "28P01" });
    expect(warnings()).toEqual([]);
  });

  test("ask their own password functions, and share connections where the function is one, across copies of the package too", async () => {
    const asked: string[] = [];
    const password = (who: string) => () => {
      asked.push(who);
      return wallsUser.password;
    };
    const first = password("first");
    const copy = await loadCopy();
    await using one_ = open({ password: first });
    await using other = open({ password: password("other") });
    await using same = copy.createDatabase({
      host: "127.0.0.1",
      port: server.port,
      database,
      user: wallsUser.user,
      password: first,
      transport: "pool",
      max: 2,
    });
    const connections = [];
    for (const db of [one_, other, same]) connections.push((await db.query("select 1")).via.connectionId);
    expect(asked).toEqual(["first", "other"]);
    expect(connections[2]).toBe(connections[0]);
    expect(connections[1]).not.toBe(connections[0]);
  });

  test("keep what the server is told at login: application name and statement timeout", async () => {
    const told = "select current_setting('application_name') || ' ' || current_setting('statement_timeout')";
    await using patient = open({ applicationName: "patient" });
    await using hasty = open({ applicationName: "hasty", statementTimeoutMs: 9_000 });
    expect([await one(patient, told), await one(hasty, told), await one(patient, told)]).toEqual(["patient 0", "hasty 9s", "patient 0"]);
  });

  test("have apart what a name separates, and do not share what lies at another address under one name", async () => {
    await using named = open({ name: "walls", max: 1 });
    await using unnamed = open({ max: 1 });
    await using elsewhere = open({ name: "walls", max: 1, database: "postgres" });
    expect(await Promise.all([named, unnamed, elsewhere].map((db) => one(db, "select current_database()")))).toEqual([
      database,
      database,
      "postgres",
    ]);
    expect(await backends()).toBe(2);
    expect(warnings()).toEqual([]);
  });

  test("hear of their own connections alone", async () => {
    await using first = open({ applicationName: "first" });
    await using second = open({ applicationName: "second" });
    const told: string[] = [];
    first.subscribe(({ type }) => told.push(`first ${type}`));
    second.subscribe(({ type }) => told.push(`second ${type}`));
    await second.query("select 1");
    expect(told).toEqual(["second connect", "second query"]);
    expect([first.stats(), second.stats()]).toMatchObject([
      { total: 0, connects: 0 },
      { total: 1, connects: 1 },
    ]);
  });
});

describe("the room they share", () => {
  test("holds max connections of all: an idle one is ended for one of another identity", async () => {
    const most = await mostConnectionsWhile(async (port) => {
      await using first = open({ port, max: 1, applicationName: "first" });
      await using second = open({ port, max: 1, applicationName: "second" });
      for (let round = 0; round < 10; round++) for (const db of [first, second]) await db.query("select 1");
      expect([first.stats(), second.stats()]).toMatchObject([
        { total: 0, connects: 10, discarded: 0 },
        { total: 1, connects: 10, discarded: 0 },
      ]);
    });
    expect(most).toBe(1);
  });

  test("takes the connection that was idle longest, and none while there is room", async () => {
    await using first = open({ max: 2, applicationName: "first" });
    await using second = open({ max: 2, applicationName: "second" });
    await using third = open({ max: 2, applicationName: "third" });
    for (const db of [first, second, first]) await db.query("select pg_sleep(0.005)");
    expect([first.stats().connects, second.stats().connects]).toEqual([1, 1]);
    await third.query("select 1");
    expect([first, second, third].map((db) => db.stats().total)).toEqual([1, 0, 1]);
  });

  test("serves who waits in the order they came, whoever they are, and never has more than max", async () => {
    for (const max of [1, 2]) {
      const order: number[] = [];
      const most = await mostConnectionsWhile(async (port) => {
        // each on a connection of its own: behind others they would end in the order of their connection
        await using first = open({ port, max, applicationName: "first", pipelining: false });
        await using second = open({ port, max, applicationName: "second", pipelining: false });
        const calls = Array.from({ length: 60 }, (_, number) =>
          (number % 3 === 0 ? second : first).query("select pg_sleep(0.002)").then(() => order.push(number)),
        );
        await Promise.all(calls);
      });
      expect(most).toBeLessThanOrEqual(max);
      expect(order).toHaveLength(60);
      // over two, one may be opened for as long as the other takes to serve many
      if (max === 1) expect(order).toEqual(order.toSorted((one, other) => one - other));
    }
  });

  test("has one queue, whose limits are the newest's", async () => {
    await using first = open({ max: 1, maxWaiting: 1, applicationName: "first" });
    await using second = open({ max: 1, maxWaiting: 1, acquireTimeoutMs: 100, applicationName: "second" });
    await second.query("select 1");
    const { promise, resolve } = Promise.withResolvers<void>();
    const holding = first.session(() => promise);
    const waiting = failureOf(second.query("select 1"));
    await until(() => second.stats().waiting === 1);
    expect(first.stats().waiting).toBe(1);
    expect(await failureOf(first.query("select 1"))).toMatchObject({ code: "QUEUE_FULL" });
    expect(await waiting).toMatchObject({ code: "ACQUIRE_TIMEOUT" });
    resolve();
    await holding;
    expect(await one(second, "select 2 as two")).toBe(2);
  });

  test("shrinks when the newest handle says so, and what is busy ends when it is given back", async () => {
    await using first = open({ max: 4, applicationName: "first" });
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: allOpen, resolve: letTwoGo } = Promise.withResolvers<void>();
    const holding = [1, 2].map(() => first.session(() => promise));
    const leaving = [1, 2].map(() => first.session(() => allOpen));
    await until(async () => (await backends()) === 4);
    letTwoGo();
    await Promise.all(leaving);
    await using second = open({ max: 1, applicationName: "second" });
    const waiting = second.query("select 1");
    await until(async () => (await backends()) === 2);
    resolve();
    await Promise.all([...holding, waiting]);
    await until(async () => (await backends()) === 1);
    expect(await one(first, "select 1 as one")).toBe(1);
  });

  test("says once which limits differ, by their names, and nothing where only identities do", async () => {
    await using first = open({ max: 2 });
    await using second = open({ max: 3, maxWaiting: 5, password: () => wallsUser.password });
    await using third = open({ max: 4 });
    for (const db of [first, second, third]) await db.query("select 1");
    expect(warnings()).toEqual([expect.stringMatching(/\bmax\b.*\bmaxWaiting\b/s)]);
    expect(warnings()[0]).not.toMatch(/idleTimeoutMs|acquireTimeoutMs|walls/);
  });

  test("goes back to the older limits when the newest handle is closed", async () => {
    await using first = open({ max: 1 });
    await first.query("select 1");
    const second = open({ max: 3, applicationName: "second" });
    await second.query("select 1");
    await second.close();
    await Promise.all([1, 2, 3].map(() => first.query("select pg_sleep(0.01)")));
    expect(first.stats().total).toBe(1);
  });

  test("is empty when the last handle is closed", async () => {
    const first = open({ applicationName: "first" });
    const second = open({ applicationName: "second" });
    for (const db of [first, second]) await db.query("select 1");
    await first.close();
    expect(await one(second, "select 1 as one")).toBe(1);
    await until(async () => (await backends()) === 1);
    await second.close();
    await until(async () => (await backends()) === 0);
  });
});

describe("an idle connection that has to go, and is swallowed,", () => {
  const swallowed = async () => {
    const wire = await startWire(server);
    const first = open({ port: wire.port, max: 1, applicationName: "first" });
    const second = open({ port: wire.port, max: 1, applicationName: "second" });
    await first.query("select 1");
    wire.hold("open");
    return { wire, first, second, [Symbol.asyncDispose]: () => Promise.all([first.close(), second.close(), wire.close()]).then(() => {}) };
  };

  test("holds up the call it makes room for by a second at most", async () => {
    await using place = await swallowed();
    expect(await one(place.second, "select 2 as two")).toBe(2);
    expect([place.first.stats().total, place.second.stats().total]).toEqual([0, 1]);
  });

  test("holds up nobody who gives up meanwhile, and takes no slot with it", async () => {
    await using place = await swallowed();
    const controller = new AbortController();
    const given = failureOf(place.second.query("select 2", [], { signal: controller.signal }));
    await until(() => place.first.stats().total === 0);
    controller.abort();
    expect(await given).toMatchObject({ code: "ABORTED", fate: "not-sent" });
    expect(await one(place.first, "select 1 as one")).toBe(1);
    expect(await one(place.second, "select 2 as two")).toBe(2);
  });
});

test("a process with two identities and room for one does its work, and ends by itself", async () => {
  const script = `
    const { createDatabase } = await import(${JSON.stringify(new URL("../../../src/entry/node.ts", import.meta.url).href)});
    const open = (applicationName) => createDatabase({ url: process.argv[1], transport: "pool", max: 1, applicationName });
    const [first, second] = [open("first"), open("second")];
    for (let round = 0; round < 3; round++) for (const db of [first, second]) await db.query("select 1");
    console.log("done");`;
  const url = new URL(server.url(database));
  url.username = wallsUser.user;
  url.password = wallsUser.password;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, url.href]);
  expect(stdout).toBe("done\n");
});

describe("after twenty edits of the database file", () => {
  const edits: readonly [string, (edit: number) => DatabaseOptions][] = [
    ["its max", (edit) => ({ max: (edit % 3) + 3 })],
    ["its password function", () => ({ max: 5, password: () => wallsUser.password })],
    ["its application name", (edit) => ({ max: 5, applicationName: `edit ${edit}` })],
    ["its startup options", (edit) => ({ max: 5, startupOptions: `-c work_mem=${1024 + edit}` })],
    ["TLS", (edit) => ({ max: 5, sslMode: edit % 2 === 0 ? "disable" : "no-verify" })],
  ];
  test.each(edits)("in %s there are at most max connections", async (_, settings) => {
    const handles: Database[] = [];
    const most = await mostConnectionsWhile(async (port) => {
      for (let edit = 0; edit < 20; edit++) {
        handles.push(open({ port, ...settings(edit) }));
        // a page of the edit before may still be asking
        await Promise.all(handles.slice(-2).flatMap((db) => [1, 2, 3, 4].map(() => db.query("select pg_sleep(0.001)"))));
      }
      await Promise.all(handles.map((db) => db.close()));
    });
    expect(most).toBeLessThanOrEqual(5);
    expect(most).toBeGreaterThan(2);
    await until(async () => (await backends()) === 0);
  });

  test("an edited password function works at once", async () => {
    await using before = open({ password: () => "guess" });
    expect(await failureOf(before.query("select 1"))).toMatchObject({ code: "28P01" });
    await using after = open({ password: () => wallsUser.password });
    expect(await one(after, "select 1 as one")).toBe(1);
  });
});

describe("closing belongs to the handle", () => {
  test("a pool that was ended by who was shown it is replaced, and whoever listens hears of the new one", async () => {
    const shown: pg.Pool[] = [];
    await using db = open({ onPool: (pool) => shown.push(pool as unknown as pg.Pool) });
    const connects: unknown[] = [];
    db.subscribe(({ type }) => type === "connect" && connects.push(type));
    await db.query("select 1");
    await shown[0]?.end();
    expect(await one(db, "select 1 as one")).toBe(1);
    expect([shown.length, connects.length]).toEqual([2, 2]);
  });

  test("an onPool that throws leaves nothing that a later close would miss", async () => {
    let broken = true;
    const db = open({
      onPool() {
        if (broken) throw new Error("not yet");
      },
    });
    await expect(db.query("select 1")).rejects.toThrow();
    broken = false;
    await db.query("select 1");
    await db.close();
    await until(async () => (await backends()) === 0);
  });

  const options = () => ({ host: "127.0.0.1", port: server.port, database, ...wallsUser, max: 2 });

  test("end() of what sharedPool gave leaves the database and other handles as they are", async () => {
    await using db = open();
    const pool = sharedPool(options());
    const another = sharedPool(options());
    const pid = "select pg_backend_pid() as pid";
    const first = (await db.query(pid)).rows;
    expect((await pool.query(pid)).rows).toEqual(first);
    await pool.end();
    expect((await db.query(pid)).rows).toEqual(first);
    expect((await another.query(pid)).rows).toEqual(first);
    expect(await pgFailureOf(pool.query("select 1"))).toMatchObject({ code: "CLOSED", fate: "not-sent" });
    expect(await pgFailureOf(pool.connect())).toMatchObject({ code: "CLOSED" });
    expect(await pgFailureOf(pool.end())).toMatchObject({ code: "CLOSED" });
    await another.end();
    expect(await one(db, "select 1 as one")).toBe(1);
    await until(async () => (await backends()) === 1);
  });

  test("the last of them ends the connections", async () => {
    const [first, second] = [sharedPool(options()), sharedPool(options())];
    await Promise.all([first.query("select 1"), second.query("select 1")]);
    await first.end();
    expect(await backends()).toBeGreaterThan(0);
    await second.end();
    await until(async () => (await backends()) === 0);
  });
});
