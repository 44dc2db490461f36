import * as v from "valibot";
import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import type { StandardSchema } from "../../../src/database/standard-schema.ts";
import { type Case, failureOf, type Subject } from "../case.ts";

const Person = v.object({ id: v.number(), name: v.pipe(v.string(), v.toUpperCase()), moods: v.array(v.picklist(["sad", "happy"])) });
const typed = sql.typed(Person);
const good = typed`select 1 as id, 'Ada' as name, '{sad}'::mood[] as moods, 'left out' as other`;
const person = { id: 1, name: "ADA", moods: ["sad"] };
const bad = typed`select n as id, 'Ada' as name, case when n = 2 then '{so-so}'::mood[] else '{}' end as moods from generate_series(1, 3) n`;
const mismatch = { name: "DecodeError", code: "ROW_MISMATCH", retryable: false } as const;

const cases: readonly Case[] = [
  {
    title: "gives what a schema makes of rows in a query, a batch, a transaction and a session",
    async run({ open }) {
      const db = open();
      expect((await db.query(good)).rows).toEqual([person]);
      expect((await db.query(good, { readOnly: true })).rows).toEqual([person]);
      const [one, same] = await db.batch([sql`select 'Ada' as name`, good]);
      expect([one.rows, same.rows]).toEqual([[{ name: "Ada" }], [person]]);
      expect(await db.transaction(async (tx) => (await tx.query(good)).rows)).toEqual([person]);
      expect(await db.session(async (session) => (await session.query(good)).rows)).toEqual([person]);
    },
  },
  {
    title: "checks rows that are arrays by a schema of arrays",
    async run({ db }) {
      const Pair = v.tuple([v.number(), v.string()]);
      const ask = sql.typed(Pair)`select 1 as value, 'x' as value`;
      expect((await db.query(ask, { rowMode: "array" })).rows).toEqual([[1, "x"]]);
      const swapped = sql.typed(Pair)`select 1 as first, 2 as second`;
      const error = await failureOf(() => db.query(swapped, { rowMode: "array" }), mismatch);
      expect(error).toMatchObject({ column: "second", columnIndex: 1, rowIndex: 0 });
      await failureOf(() => db.query(ask), mismatch);
    },
  },
  {
    title: "fails with the row, the column and the path where a row does not fit, and without the value",
    async run({ db }) {
      const error = await failureOf(() => db.query(bad), { ...mismatch, fate: "applied" });
      expect(error).toMatchObject({ column: "moods", columnIndex: 2, rowIndex: 1, path: ["moods", 0] });
      expect(error.message).toContain('row 2 of its answer does not fit the schema at its column "moods"');
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain("so-so");
      await failureOf(() => db.batch([sql`select 1`, bad]), { ...mismatch, fate: "applied" });
      expect((await db.query(good)).rows).toEqual([person]);
    },
  },
  {
    title: "rolls a transaction back that ends with a row that does not fit, and goes on where that error was caught",
    async run({ db }) {
      await db.sql`delete from ledger where entry in (8101, 8102)`;
      const add = (entry: number) => sql.typed(v.object({ entry: v.string() }))`insert into ledger values (${entry}) returning entry`;
      const undone = await failureOf(() => db.transaction((tx) => tx.query(add(8101))), { ...mismatch, fate: "refused" });
      expect(undone).toMatchObject({ column: "entry", rowIndex: 0, path: ["entry"] });
      await db.transaction(async (tx) => void (await tx.query(add(8102)).catch(() => {})));
      expect(await db.sql`select entry from ledger where entry in (8101, 8102)`).toEqual([{ entry: 8102 }]);
      await failureOf(() => db.session((session) => session.query(bad)), { ...mismatch, fate: "applied" });
    },
  },
  {
    title: "refuses what is no schema before anything is sent, and says so of one that throws or answers later",
    async run({ db }) {
      for (const none of [undefined, null, {}, { "~standard": 1 }, { "~standard": { version: 2, validate: () => ({ value: 1 }) } }, "x"]) {
        await failureOf(async () => sql.typed(none as never), { name: "UsageError", code: "INVALID_SCHEMA", fate: "not-sent" });
      }
      const schema = (validate: (value: unknown) => unknown) =>
        ({ "~standard": { version: 1, vendor: "test", validate } }) as unknown as StandardSchema;
      const failing = { name: "DecodeError", code: "SCHEMA_FAILED", fate: "applied" } as const;
      const throwing = schema((value) => {
        throw new TypeError(JSON.stringify(value));
      });
      const thrown = await failureOf(() => db.query(sql.typed(throwing)`select 'secret' as word`), failing);
      expect(thrown).toMatchObject({ rowIndex: 0, cause: { name: "TypeError" } });
      expect(`${thrown.message} ${(thrown.cause as Error).stack}`).not.toContain("secret");
      const later = schema(async (value) => {
        throw value;
      });
      expect((await failureOf(() => db.query(sql.typed(later)`select 1 as n`), failing)).message).toContain("gave a promise");
      for (const wrong of [undefined, null, 1, {}]) await failureOf(() => db.query(sql.typed(schema(() => wrong))`select 1 as n`), failing);
      await failureOf(() => db.query(sql.typed(schema(() => ({ issues: [{ path: [{}] }] })))`select 1 as n`), mismatch);
    },
  },
  {
    title: "checks a share of the rows where one is asked for, and gives all of them as they are",
    async run({ db }) {
      const Upper = v.object({ word: v.pipe(v.string(), v.minLength(2), v.toUpperCase()) });
      const words = (sample: number, word: string) => sql.typed(Upper, { sample })`select ${word}::text as word`;
      for (const sample of [0, 0.5, 1]) expect((await db.query(words(sample, "ab"))).rows).toEqual([{ word: "ab" }]);
      expect((await db.query(words(0, "a"))).rows).toEqual([{ word: "a" }]);
      await failureOf(() => db.query(words(1, "a")), mismatch);
      const many = sql.typed(Upper, {
        sample: 0.5,
      })`select case when n > 500 then 'a' else 'ab' end as word from generate_series(1, 1000) n`;
      expect((await failureOf(() => db.query(many), mismatch)) as object).toHaveProperty("column", "word");
      for (const options of [{ sample: 2 }, { sample: -1 }, { sample: Number.NaN }, { sample: "1" }, {}, { sample: 1, other: 1 }, null]) {
        await failureOf(async () => sql.typed(Upper, options as never), { name: "UsageError", code: "INVALID_OPTION" });
      }
    },
  },
  {
    title: "is a piece of SQL like any other within another statement",
    async run({ db }) {
      const one = sql.typed(Person)`select ${1}::int as id`;
      expect((await db.query(sql`select id + ${1} as next from (${one}) one`)).rows).toEqual([{ next: 2 }]);
      expect((await db.query(typed`${good}`)).rows).toEqual([person]);
    },
  },
];

/** Rows that are held against a schema. */
export const typedRows: Subject = { title: "typed rows", cases };
