import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import type { Result } from "../../src/transports/transport.ts";
import { stopTimers } from "../support/stopped-timers.ts";
import { acceptedDifferences } from "./accepted-differences.ts";
import { eventually, onlyValue } from "./case.ts";
import { corpus, type Sample } from "./corpus.ts";
import { fixtures } from "./fixtures.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

const http: DatabaseOptions = { transport: "http", endpoint: inject("endpoint") };
const pool: DatabaseOptions = { transport: "pool" };

/** The ways a statement can be sent, and what is done with the same statement on both transports. */
const ways: Readonly<Record<string, (db: Database, sample: Sample) => Promise<readonly Result<unknown>[]>>> = {
  query: async (db, { text, values }) => [await db.query(text, values)],
  read_only: async (db, { text, values }) => [await db.query(text, values, { readOnly: true, rowMode: "array" })],
  batch: (db, sample) => db.batch([sql`select 1 as first`, asTemplate(sample), sql`select 2 as last`]),
  transaction: (db, { text, values }) => db.transaction(async (tx) => [await tx.query("select 1 as first"), await tx.query(text, values)]),
  savepoint: (db, { text, values }) => db.transaction((tx) => tx.transaction(async (inner) => [await inner.query(text, values)])),
  session: (db, { text, values }) => db.session(async (session) => [await session.query(text, values, { rowMode: "array" })]),
};

function asTemplate({ text, values = [] }: Sample) {
  const pieces = text.split(/\$\d+/);
  const named = [...text.matchAll(/\$(\d+)/g)].map(([, number]) => Array.from(values)[Number(number) - 1]);
  return sql(Object.assign(pieces, { raw: pieces }), ...named);
}

const used = new Set<string>();

/** Fails on any difference that is not accepted. */
function expectEqual(overPool: Outcome, overHttp: Outcome): void {
  let [left, right] = [overPool, overHttp];
  for (const { what, between, without } of acceptedDifferences) {
    if (!between(left, right)) continue;
    used.add(what);
    [left, right] = [without(left), without(right)];
  }
  expect(right).toStrictEqual(left);
}

const url = (database: string) => Object.assign(new URL(inject("postgres").url), { pathname: `/${database}` }).href;

/** Databases that are byte for byte the same, ids included: one for each way and transport. */
async function createTwins(): Promise<void> {
  const admin = createDatabase({ url: inject("postgres").url, ...pool });
  await admin.script("create database equivalence");
  const model = createDatabase({ url: url("equivalence"), ...pool });
  await model.script(fixtures);
  await model.close();
  for (const way of Object.keys(ways)) {
    for (const transport of ["pool", "http"]) await admin.script(`create database equivalence_${way}_${transport} template equivalence`);
  }
  await admin.close();
}

const opened: Database[] = [];

function open(database: string, options: DatabaseOptions): Database {
  const db = createDatabase({ url: url(database), max: 2, ...options });
  opened.push(db);
  return db;
}

/** Sees what runs at the server. */
const watcher = open("equivalence", pool);

beforeAll(createTwins);
afterAll(() => Promise.all(opened.map((db) => db.close())));

test("has at least 150 statements to compare", () => {
  expect(corpus.length).toBeGreaterThanOrEqual(150);
});

for (const [way, run] of Object.entries(ways)) {
  describe(`pool and HTTP are equal: ${way}`, () => {
    const [left, right] = [open(`equivalence_${way}_pool`, pool), open(`equivalence_${way}_http`, http)];
    test.for(corpus.map((sample) => [sample.text.slice(0, 80), sample] as const))("%s", async ([, sample]) => {
      const [overPool, overHttp] = await Promise.all([outcomeOf(() => run(left, sample)), outcomeOf(() => run(right, sample))]);
      expectEqual(overPool, overHttp);
      expect("foreign" in (overHttp.error ?? {})).toBe(false);
    });
  });
}

/** What no statement alone shows. */
const situations: Readonly<Record<string, (options: DatabaseOptions) => Promise<readonly Result<unknown>[]>>> = {
  "a query with a wrong password": async (options) => [await open("equivalence", { ...options, password: "wrong" }).query("select 1")],
  "a transaction with a wrong password": (options) =>
    open("equivalence", { ...options, password: "wrong" }).transaction(async (tx) => [await tx.query("select 1")]),
  "a query to a database that is not there": async (options) => [await open("not_there", options).query("select 1")],
  "a transaction on a database that is not there": (options) =>
    open("not_there", options).transaction(async (tx) => [await tx.query("select 1")]),
  "a password function that fails": async (options) => [
    await open("equivalence", { ...options, password: () => Promise.reject(new Error("no")) }).query("select 1"),
  ],
  "a query past its deadline": (options) => pastDeadline(async (text, past) => [await open("equivalence", options).query(text, [], past)]),
  "a transaction past its deadline": (options) =>
    pastDeadline((text, past) => open("equivalence", options).transaction(async (tx) => [await tx.query(text)], past)),
  "a session past its deadline": (options) =>
    pastDeadline((text, past) => open("equivalence", options).session(async (session) => [await session.query(text)], past)),
  "a query whose backend is terminated": async (options) => [
    await open("equivalence", options).query("select pg_terminate_backend(pg_backend_pid())"),
  ],
  "a transaction whose backend is terminated": (options) =>
    open("equivalence", options).transaction(async (tx) => [await tx.query("select pg_terminate_backend(pg_backend_pid())")]),
  "a batch whose backend is terminated": (options) =>
    open("equivalence", options).batch([sql`select 1`, sql`select pg_terminate_backend(pg_backend_pid())`]),
  "a conflict that does not end": async (options) => [await open("equivalence", options).query("select fail_with('40001')")],
  "a batch that fails at COMMIT": (options) =>
    open("equivalence", options).batch([sql`set constraints all deferred`, sql`insert into person values (50, 'x', 1, 999)`]),
  "a transaction that fails at COMMIT": (options) =>
    open("equivalence", options).transaction(async (tx) => [
      await tx.query("set constraints all deferred"),
      await tx.query("insert into person values (50, 'x', 1, 999)"),
    ]),
  "a transaction whose failure was swallowed": (options) =>
    open("equivalence", options).transaction(async (tx) => {
      await tx.query("select 1/0").catch(() => {});
      return [];
    }),
  "a parser that throws": async (options) => [await open("equivalence", { ...options, types: { 23: fail } }).query("select 1")],
  "a batch with a parser that throws": (options) =>
    open("equivalence", { ...options, types: { 23: fail } }).batch([sql`select 1`, sql`select 2`]),
  "a parser that throws in a transaction": (options) =>
    open("equivalence", { ...options, types: { 23: fail } }).transaction(async (tx) => [await tx.query("select 1")]),
  "parsers of one's own": (options) =>
    open("equivalence", { ...options, types: { 20: BigInt } }).batch([sql`select 1::int8`, sql`select 2::int8 as n`]),
};

/** A call whose deadline passes when its statement sleeps at the server, and not before on a slow machine. */
async function pastDeadline(
  call: (text: string, past: { readonly deadlineMs: number }) => Promise<readonly Result<unknown>[]>,
): Promise<readonly Result<unknown>[]> {
  using timers = stopTimers();
  const outcome = call("select pg_sleep(600) /* past its deadline */", { deadlineMs: 250 });
  const sleeping = "select exists (select from pg_stat_activity where query like '%/* past its deadline */' and wait_event = 'PgSleep')";
  const begun = eventually(() => onlyValue(watcher.query(sleeping).then(({ rows }) => rows)), true);
  return (await Promise.all([outcome, begun.then(() => timers.pass(250))]))[0];
}

function fail(): never {
  throw new Error("own");
}

describe("pool and HTTP are equal in", () => {
  test.for(Object.entries(situations))("%s", async ([, run]) => {
    expectEqual(await outcomeOf(() => run(pool)), await outcomeOf(() => run(http)));
  });
});

test("accepts no difference that is not there", () => {
  expect(acceptedDifferences.map(({ what }) => what).filter((what) => !used.has(what))).toEqual([]);
});
