import { expect, test } from "vitest";
import { sql } from "../../../src/entry/node.ts";
import { failureOf, openDirect, openPool } from "../databases.ts";

/** Two to the power of `levels` paths, over as many objects as there are levels. `touched` counts how often one of them is looked at. */
function graph(levels: number, innermost: unknown): { readonly value: unknown; readonly touched: () => number } {
  let looks = 0;
  const counted = (inner: unknown): unknown => ({
    right: inner,
    get left() {
      looks++;
      return inner;
    },
  });
  let value = innermost;
  for (let level = 0; level < levels; level++) value = counted(value);
  return { value, touched: () => looks };
}

test("a graph of shared objects is looked at as often as it has objects, save a thousand times, whatever is wrong with it and however many paths there are", async () => {
  await using db = openPool();
  const itself: Record<string, unknown> = {};
  itself.self = itself;
  for (const [innermost, code] of [
    [1n, "UNSUPPORTED_VALUE"],
    [{ set: new Set() }, "UNSUPPORTED_VALUE"],
    [itself, "CIRCULAR_VALUE"],
    ["text", "UNSUPPORTED_VALUE"],
  ] as const) {
    const { value, touched } = graph(200, innermost);
    expect(await failureOf(db.sql`select ${value}::jsonb`)).toMatchObject({ name: "UsageError", code, fate: "not-sent" });
    expect(touched()).toBeLessThanOrEqual(1000 + 200);
  }
});

test("an object that stands in many places is sent in each", async () => {
  await using db = openPool();
  const { value } = graph(10, "x");
  const [row] = await db.sql<{ paths: number }>`select length(regexp_replace(${sql.json(value)}::text, '[^x]', '', 'g')) as paths`;
  expect(row?.paths).toBe(1024);
});

test("a Set in the place of an array leaves the table as it was", async () => {
  await using direct = await openDirect();
  await direct.query("create table kept as select generate_series(1, 5) as id");
  await using db = openPool();
  const keep = new Set([1, 2, 3]);
  await failureOf(db.sql`delete from kept where not (id = any(${keep}::int[]))`);
  expect((await direct.query("select count(*)::int as n from kept")).rows).toEqual([{ n: 5 }]);
  await db.sql`delete from kept where not (id = any(${[...keep]}::int[]))`;
  expect((await direct.query("select count(*)::int as n from kept")).rows).toEqual([{ n: 3 }]);
  await direct.query("drop table kept");
});

test("memory that is shared between threads is bytes like any other, and so are bytes and dates of another realm", async () => {
  await using db = openPool();
  const shared = new SharedArrayBuffer(2);
  new Uint8Array(shared).set([1, 2]);
  const { runInNewContext } = await import("node:vm");
  const [buffer, date, object, list] = runInNewContext("[Uint8Array.of(3).buffer, new Date(0), { a: [1] }, [1, 2]]");
  const { rows } = await db.query("select $1::bytea a, $2::bytea b, $3::bytea c, $4::timestamptz d, $5::jsonb e, $6::int[] f", [
    shared,
    new Uint8Array(shared, 1),
    buffer,
    date,
    object,
    list,
  ]);
  expect(rows).toEqual([{ a: Buffer.of(1, 2), b: Buffer.of(2), c: Buffer.of(3), d: new Date(0), e: { a: [1] }, f: [1, 2] }]);
  expect(await failureOf(db.sql`select ${runInNewContext("new Map([[1, 2]])")}`)).toMatchObject({ code: "UNSUPPORTED_VALUE" });
  expect(await failureOf(db.sql`select ${runInNewContext("({ a: new Error('b') })")}`)).toMatchObject({ code: "UNSUPPORTED_VALUE" });
});
