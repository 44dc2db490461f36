import { inspect } from "node:util";
import { type } from "arktype";
import * as v from "valibot";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { DecodeError, type StandardSchema, sql } from "../../../src/entry/node.ts";
import { failureOf, openPool } from "../databases.ts";

const db = openPool();
afterAll(() => db.close());

interface Order {
  readonly id: number;
  readonly total: number;
  readonly note: string | null;
  readonly data: { readonly lines: readonly { readonly count: number }[] };
}

const isRow = { id: "number", note: "string|null", data: { lines: [{ count: "number" }, "[]"] } } as const;

/** The same rows in the words of each library: `total` comes as text, and is made a number. */
const libraries: readonly (readonly [string, StandardSchema<unknown, Order>])[] = [
  [
    "valibot",
    v.object({
      id: v.number(),
      total: v.pipe(v.string(), v.transform(Number)),
      note: v.nullable(v.string()),
      data: v.object({ lines: v.array(v.object({ count: v.number() })) }),
    }),
  ],
  [
    "zod",
    z.object({
      id: z.number(),
      total: z.string().transform(Number),
      note: z.string().nullable(),
      data: z.object({ lines: z.array(z.object({ count: z.number() })) }),
    }),
  ],
  ["arktype", type({ ...isRow, total: "string.numeric.parse" }) as unknown as StandardSchema<unknown, Order>],
];

describe.each(libraries)("a schema of %s", (_, schema) => {
  const orders = (count: unknown) =>
    sql.typed(
      schema,
    )`select 1 as id, 12.50::numeric as total, null as note, ${sql.json({ lines: [{ count: 1 }, { count }] })}::jsonb as data`;

  test("checks rows and makes something of them", async () => {
    const { rows } = await db.query(orders(2));
    expect(rows).toEqual([{ id: 1, total: 12.5, note: null, data: { lines: [{ count: 1 }, { count: 2 }] } }]);
    expect(rows[0]?.total.toFixed(2)).toBe("12.50");
  });

  test("says where a row does not fit, and neither the value nor what the library says", async () => {
    const error = await failureOf(db.query(orders("a canary")));
    expect(error).toMatchObject({ code: "ROW_MISMATCH", fate: "applied", column: "data", columnIndex: 3, typeId: 3802, rowIndex: 0 });
    expect(error).toBeInstanceOf(DecodeError);
    expect((error as DecodeError).path).toEqual(["data", "lines", 1, "count"]);
    expect(error.cause).toBeUndefined();
    expect(`${inspect(error, { depth: 9, showHidden: false })} ${JSON.stringify(error)}`).not.toMatch(/canary|expected|received|invalid/i);
  });
});

test("a key out of a value is in the path alone, which nobody prints", async () => {
  const records = sql.typed(z.object({ seen: z.record(z.string(), z.number()) }))`
    select ${sql.json({ "canary@example.com": "x" })}::jsonb as seen`;
  const whole = sql.typed(
    z
      .object({ seen: z.unknown() })
      .transform(({ seen }) => seen)
      .pipe(z.record(z.string(), z.number())),
  )`
    select ${sql.json({ "canary@example.com": "x" })}::jsonb as seen`;
  for (const [statement, path] of [
    [records, ["seen", "canary@example.com"]],
    [whole, ["canary@example.com"]],
  ] as const) {
    const error = (await failureOf(db.query<unknown>(statement))) as DecodeError;
    expect(error.path).toEqual(path);
    expect(`${inspect(error)} ${JSON.stringify(error)} ${error.stack}`).not.toContain("canary");
  }
});

test("a column that the statement does not give is in the path", async () => {
  const error = (await failureOf(db.query(sql.typed(v.object({ id: v.number() }))`select 1 as other`))) as DecodeError;
  expect(error.path).toEqual(["id"]);
  expect(error.column).toBeUndefined();
});

test("a schema that is asynchronous for some values only is told by its first promise", async () => {
  const later = z.object({ n: z.number().refine(async (n) => n > 1) });
  const error = await failureOf(db.query(sql.typed(later)`select 1 as n`));
  expect(error).toMatchObject({ code: "SCHEMA_FAILED", fate: "applied", rowIndex: 0 });
  expect((await db.query(sql.typed(later)`select 1 as n where false`)).rows).toEqual([]);
});

test("rows that a caller falls back to are the caller's own, and not checked", async () => {
  const away = openPool({ url: "postgres://user:word@127.0.0.1:1/none", sslMode: "disable" });
  const fallback = () => [{ total: 1.5 }];
  const statement = sql.typed(z.object({ total: z.string().transform(Number) }))`select 1 as total`;
  expect((await away.query(statement, { readOnly: true, fallback })).rows).toEqual([{ total: 1.5 }]);
  await away.close();
});

test("the share of the rows that is asked for is checked, more or less", async () => {
  let checked = 0;
  const counting = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) => {
        checked++;
        return { value };
      },
    },
  } as const;
  const many = (sample: number) => db.query(sql.typed(counting, { sample })`select n from generate_series(1, 20000) n`);
  await many(0);
  expect(checked).toBe(0);
  await many(0.5);
  // 37 standard deviations to either side
  expect(Math.abs(checked - 10_000)).toBeLessThan(2_600);
  checked = 0;
  await many(1);
  expect(checked).toBe(20_000);
});
