import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sql } from "../../../src/entry/node.ts";
import { failureOf, openDirect, openPool } from "../databases.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table parsed (word text)");
});
afterAll(async () => {
  await direct.query("drop table parsed");
  await direct.end();
});

const words = async () => (await direct.query("select word from parsed")).rows.map(({ word }) => word);
const throwing = {
  25: () => {
    throw new Error("no");
  },
};

test("parsers of one database reach neither another nor the driver's own table", async () => {
  await using own = openPool({ types: { 20: BigInt, 1082: (text) => text } });
  await using usual = openPool();
  const text = "select 1::int8 as big, '2026-01-02'::date as day, 3 as small";
  const usualDay = pg.types.getTypeParser(1082)("2026-01-02");
  expect((await own.query(text)).rows).toEqual([{ big: 1n, day: "2026-01-02", small: 3 }]);
  expect((await usual.query(text)).rows).toEqual([{ big: "1", day: usualDay, small: 3 }]);
  expect(pg.types.getTypeParser(20)("1")).toBe("1");
});

test("a parser that throws fails a statement that was done, and the connection goes on", async () => {
  await using db = openPool({ types: throwing, max: 1 });
  const error = await failureOf(db.query("insert into parsed values ('once') returning word", [], { idempotent: true }));
  expect(error).toMatchObject({ name: "DecodeError", code: "DECODE_FAILED", fate: "applied", retryable: false });
  expect(await words()).toEqual(["once"]);
  expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  expect(db.stats()).toMatchObject({ connects: 1, discarded: 0, retries: 0 });
});

test("a parser that throws in a batch leaves the batch committed", async () => {
  await using db = openPool({ types: throwing });
  await direct.query("truncate parsed");
  const failure = failureOf(db.batch([sql`insert into parsed values ('first') returning word`, sql`insert into parsed values ('second')`]));
  expect(await failure).toMatchObject({ code: "DECODE_FAILED", fate: "applied" });
  expect(await words()).toEqual(["first", "second"]);
});

test("a parser that throws in a transaction rolls it back when its error leaves the callback", async () => {
  await using db = openPool({ types: throwing, max: 1 });
  await direct.query("truncate parsed");
  const failure = failureOf(db.transaction((tx) => tx.sql`insert into parsed values ('first') returning word`));
  expect(await failure).toMatchObject({ name: "DecodeError", code: "DECODE_FAILED", fate: "refused", retryable: false });
  expect(await words()).toEqual([]);
  expect((await db.query("select 1")).via.reused).toBe(true);
});

test("a parser that throws in a savepoint undoes the savepoint, and in a transaction that goes on nothing", async () => {
  await using db = openPool({ types: throwing, max: 1 });
  await direct.query("truncate parsed");
  const fates: unknown[] = [];
  await db.transaction(async (tx) => {
    const inner = tx.transaction((nested) => nested.sql`insert into parsed values ('undone') returning word`);
    fates.push((await failureOf(inner)).fate);
    fates.push((await failureOf(tx.sql`insert into parsed values ('done') returning word`)).fate);
  });
  expect([fates, await words()]).toEqual([["refused", "applied"], ["done"]]);
});

test("a parser that gives null, undefined or a promise is believed", async () => {
  await using db = openPool({ types: { 25: () => undefined, 23: () => null } });
  expect((await db.query("select 'a'::text as a, 1 as b, null::text as c")).rows).toEqual([{ a: undefined, b: null, c: null }]);
});
