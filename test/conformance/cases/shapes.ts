import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import type { Case, Subject } from "../case.ts";

const cases: readonly Case[] = [
  {
    title: "gives no rows and all fields for an empty result",
    async run({ db }) {
      const { rows, rowCount, command, fields } = await db.query("select id, name from person where false");
      expect({ rows, rowCount, command }).toEqual({ rows: [], rowCount: 0, command: "SELECT" });
      expect(fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
        ["id", 23],
        ["name", 25],
      ]);
    },
  },
  {
    title: "gives empty rows for a result without columns",
    async run({ db }) {
      const { rows, rowCount, fields } = await db.query("select from person");
      expect({ rows, rowCount, fields }).toEqual({ rows: [{}, {}, {}], rowCount: 3, fields: [] });
      expect((await db.query("select from person", [], { rowMode: "array" })).rows).toEqual([[], [], []]);
    },
  },
  {
    title: "gives no rows for a table without columns or rows",
    async run({ db }) {
      expect(await db.sql`select * from empty_table`).toEqual([]);
    },
  },
  {
    title: "keeps the last of columns with the same name in an object, and all in an array",
    async run({ db }) {
      const twice = sql`select 1 as n, 2 as other, 3 as n`;
      const { rows, fields } = await db.query(twice);
      expect(rows).toEqual([{ n: 3, other: 2 }]);
      expect(fields.map(({ name }) => name)).toEqual(["n", "other", "n"]);
      expect((await db.query(twice, { rowMode: "array" })).rows).toEqual([[1, 2, 3]]);
    },
  },
  {
    title: "gives a column named __proto__ as any other",
    async run({ db }) {
      const [row] = await db.sql`select 1 as "__proto__", 2 as "constructor", 3 as "toString"`;
      expect(Object.entries(row ?? {})).toEqual([
        ["__proto__", 1],
        ["constructor", 2],
        ["toString", 3],
      ]);
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    },
  },
  {
    title: "gives a __proto__ column's object without making it the prototype",
    async run({ db }) {
      const [row] = await db.sql`select '{"polluted": true}'::json as "__proto__"`;
      expect((row as { polluted?: unknown }).polluted).toBeUndefined();
      expect(Object.keys(row ?? {})).toEqual(["__proto__"]);
    },
  },
  {
    title: "gives rows that are plain objects with their columns in order",
    async run({ db }) {
      const [row] = await db.sql`select 1 as b, 2 as a, 3 as c`;
      expect(Object.keys(row ?? {})).toEqual(["b", "a", "c"]);
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    },
  },
  {
    title: "names a column without a name as Postgres does",
    async run({ db }) {
      expect(await db.sql`select 1, 'x'::text, now() is null`).toEqual([{ "?column?": false, text: "x" }]);
    },
  },
  {
    title: "keeps column names of any characters",
    async run({ db }) {
      expect(await db.query('select 1 as "a b", 2 as "ü🐘", 3 as "x""y", 4 as "0"')).toMatchObject({
        rows: [{ 0: 4, "a b": 1, "ü🐘": 2, 'x"y': 3 }],
      });
    },
  },
  {
    title: "describes a column with its table, type, size and modifier",
    async run({ db }) {
      const { fields } = await db.query("select id, name, 1.5::numeric(10,2) as amount from person limit 0");
      const [{ oid } = { oid: 0 }] = await db.sql<{ oid: number }>`select 'person'::regclass::oid as oid`;
      expect(fields).toEqual([
        { name: "id", tableID: oid, columnID: 1, dataTypeID: 23, dataTypeSize: 4, dataTypeModifier: -1, format: "text" },
        { name: "name", tableID: oid, columnID: 2, dataTypeID: 25, dataTypeSize: -1, dataTypeModifier: -1, format: "text" },
        { name: "amount", tableID: 0, columnID: 0, dataTypeID: 1700, dataTypeSize: -1, dataTypeModifier: 655_366, format: "text" },
      ]);
    },
  },
  {
    title: "gives rows as arrays by rowMode, with values decoded",
    async run({ db }) {
      const { rows } = await db.query("select 1 as a, null::text as b, '{1,2}'::int[] as c, true as d", [], { rowMode: "array" });
      expect(rows).toEqual([[1, null, [1, 2], true]]);
    },
  },
  ...["", "   ", ";", "-- only a comment", "/* a /* nested */ comment */"].map(
    (text): Case => ({
      title: `gives an empty result for the text ${JSON.stringify(text)}`,
      async run({ db }) {
        const { rows, rowCount, command, fields } = await db.query(text);
        expect({ rows, rowCount, command, fields }).toEqual({ rows: [], rowCount: null, command: null, fields: [] });
      },
    }),
  ),
  {
    title: "runs a statement with comments, white space and a semicolon around it",
    async run({ db }) {
      expect((await db.query("\n -- first\n /* second */ select 1 as n ; -- end")).rows).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "takes a question mark, a colon and a dollar in text as they are",
    async run({ db }) {
      expect(await db.sql`select '?' as q, ':x' as c, '$1' as d, $$a'b$$ as e, '{"a":1}'::jsonb ? ${"a"} as has`).toEqual([
        { q: "?", c: ":x", d: "$1", e: "a'b", has: true },
      ]);
    },
  },
  {
    title: "gives 1,600 columns",
    async run({ db }) {
      const names = Array.from({ length: 1_600 }, (_, i) => `c${i}`);
      const { rows, fields } = await db.query<Record<string, number>>(`select ${names.map((name, i) => `${i} as ${name}`).join(", ")}`);
      expect(fields).toHaveLength(1_600);
      expect(Object.keys(rows[0] ?? {})).toEqual(names);
      expect(rows[0]?.c1599).toBe(1_599);
    },
  },
  {
    title: "gives 10,000 rows in order",
    async run({ db }) {
      const { rows, rowCount } = await db.query<{ n: number }>("select n, repeat('x', 20) as filler from generate_series(1, 10000) n");
      expect(rowCount).toBe(10_000);
      expect(rows).toHaveLength(10_000);
      expect(rows.every(({ n }, index) => n === index + 1)).toBe(true);
    },
  },
  {
    title: "gives wide rows whole",
    async run({ db }) {
      const { rows } = await db.query<{ wide: string }>("select repeat('ü', 100000) || n as wide from generate_series(1, 5) n");
      expect(rows.map(({ wide }) => [wide.length, wide.at(-1)])).toEqual([1, 2, 3, 4, 5].map((n) => [100_001, String(n)]));
    },
  },
  {
    title: "says how a result came",
    async run({ db, transport }) {
      const { via } = await db.query("select 1");
      expect(via).toMatchObject({ transport, attempts: 1 });
      if (transport === "http") expect(via).toMatchObject({ connectionId: null, reused: null });
      else expect([typeof via.connectionId, typeof via.reused]).toEqual(["string", "boolean"]);
    },
  },
  {
    title: "gives results that share nothing",
    async run({ db }) {
      const [first, second] = [await db.query("select 1 as n"), await db.query("select 1 as n")];
      first.rows.push({ n: 2 });
      expect(second.rows).toEqual([{ n: 1 }]);
    },
  },
];

/** Results of every shape. */
export const shapes: Subject = { title: "shapes", cases };
