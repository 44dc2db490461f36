import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { type Case, comparable, onlyValue, type Subject } from "../case.ts";

/** A value, the type it is read as, and what comes back. */
export type Echo = readonly [title: string, type: string, value: unknown, back: unknown];

const now = new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 7));

const shared = { c: 1 };

class Order {
  readonly #secret = 1;
  readonly id = 6 + this.#secret;
  readonly lines = ["a"];
  readonly at = now;
}

class BigOrder extends Order {
  readonly big = true;
}

/** Values that are sent and come back. */
export const echoes: readonly Echo[] = [
  ["text", "text", "plain", "plain"],
  ["text with quotes, backslashes and statements", "text", "'; drop table person; -- \\' \" $1", "'; drop table person; -- \\' \" $1"],
  ["text that looks like NULL", "text", "NULL", "NULL"],
  ["text that looks like JSON", "jsonb", '{"a":1}', { a: 1 }],
  ["a number as text", "text", 42, "42"],
  ["a fraction as text", "text", 0.1, "0.1"],
  ["a number of many digits", "numeric", 1e21, "1000000000000000000000"],
  ["minus zero", "float8", -0, 0],
  ["a bigint", "int8", -5n, "-5"],
  ["a boolean as text", "text", true, "true"],
  ["null", "int", null, null],
  ["a date as text, in local time with its offset", "timestamptz", now, now],
  ["bytes in a Uint8Array", "bytea", Uint8Array.of(1, 2, 255), Uint8Array.of(1, 2, 255)],
  ["bytes in a part of a buffer", "bytea", new Uint8Array(Uint8Array.of(9, 1, 2, 9).buffer, 1, 2), Uint8Array.of(1, 2)],
  ["bytes in an ArrayBuffer", "bytea", Uint8Array.of(3, 4).buffer, Uint8Array.of(3, 4)],
  ["bytes in a DataView", "bytea", new DataView(Uint8Array.of(5, 6).buffer), Uint8Array.of(5, 6)],
  ["bytes where text is wanted, as bytea's hex text", "text", Uint8Array.of(0, 255), "\\x00ff"],
  ["an object as JSON", "jsonb", { a: [1, { b: null }], c: "ü" }, { a: [1, { b: null }], c: "ü" }],
  ["an object with toJSON", "jsonb", { toJSON: () => ({ own: true }) }, { own: true }],
  ["an object without a prototype", "jsonb", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["an object whose toJSON gives text", "jsonb", new URL("https://a.example/b"), "https://a.example/b"],
  ["an object of a class with data", "jsonb", new Order(), { id: 7, lines: ["a"], at: now.toISOString() }],
  ["an object of a class derived from one with data", "jsonb", new BigOrder(), { id: 7, lines: ["a"], at: now.toISOString(), big: true }],
  ["an object without a property", "jsonb", {}, {}],
  ["an object with properties that are undefined or functions", "jsonb", { a: undefined, b: () => 1, c: null }, { c: null }],
  ["an object that is in another twice", "jsonb", { a: shared, b: [shared, shared] }, { a: { c: 1 }, b: [{ c: 1 }, { c: 1 }] }],
  ["an object with empty arrays and texts", "jsonb", { a: [], b: "", c: [[]] }, { a: [], b: "", c: [[]] }],
  ["an object with toPostgres", "int", { toPostgres: () => 7 }, 7],
  ["an object with toPostgres that gives an array", "int[]", { toPostgres: () => [1, 2] }, [1, 2]],
  ["an empty array", "int[]", [], []],
  ["an array with null", "int[]", [1, null], [1, null]],
  ["an array of awkward texts", "text[]", ["", " ", "a,b", '"', "\\", "{}", "null", "\n"], ["", " ", "a,b", '"', "\\", "{}", "null", "\n"]],
  ["an array of dates", "timestamptz[]", [now], [now]],
  ["an array of bytes", "bytea[]", [Uint8Array.of(1), null], [Uint8Array.of(1), null]],
  ["an array of objects", "jsonb[]", [{ a: "x,y" }, { b: '"' }], [{ a: "x,y" }, { b: '"' }]],
  ["an array of bigints", "int8[]", [1n, 2n], ["1", "2"]],
  [
    "an array of three dimensions",
    "int[]",
    [
      [[1], [2]],
      [[3], [4]],
    ],
    [
      [[1], [2]],
      [[3], [4]],
    ],
  ],
  [
    "an array of five hundred texts",
    "text[]",
    Array.from({ length: 500 }, (_, i) => `t${i}`),
    Array.from({ length: 500 }, (_, i) => `t${i}`),
  ],
];

const echo = ([title, type, value, back]: Echo): Case => ({
  title: `sends ${title}`,
  async run({ db }) {
    const { rows } = await db.query(`select $1::${type} as value`, [value]);
    expect(comparable(rows[0]?.value)).toEqual(comparable(back));
  },
});

const statements: readonly Case[] = [
  {
    title: "lets Postgres infer a parameter's type",
    async run({ db }) {
      expect(await db.sql`select ${42} as text, ${42} * 1 as number, ${"x"} || 'y' as joined`).toEqual([
        { text: "42", number: 42, joined: "xy" },
      ]);
    },
  },
  {
    title: "sends one value for a parameter that is used twice",
    async run({ db }) {
      expect((await db.query("select $1::int as a, $1::int + $2::int as b", [1, 2])).rows).toEqual([{ a: 1, b: 3 }]);
    },
  },
  {
    title: "writes JSON by sql.json where an array or text would be something else",
    async run({ db }) {
      expect(await onlyValue(db.sql`select ${sql.json(new Date(0))}::jsonb`)).toBe("1970-01-01T00:00:00.000Z");
      expect(
        await db.sql`select ${sql.json([1, "a"])}::jsonb as list, ${sql.json("text")}::jsonb as word, ${sql.json(null)}::jsonb as nothing`,
      ).toEqual([{ list: [1, "a"], word: "text", nothing: null }]);
    },
  },
  {
    title: "quotes identifiers by sql.id",
    async run({ db }) {
      const [row] =
        await db.sql`select ${1}::int as ${sql.id('odd " name')}, relname from ${sql.id("pg_catalog", "pg_class")} where relname = ${"pg_class"}`;
      expect(row).toEqual({ 'odd " name': 1, relname: "pg_class" });
    },
  },
  {
    title: "joins values and pieces by sql.join",
    async run({ db }) {
      expect(await db.sql`select ${2}::int in (${sql.join([1, 2, 3])}) as found`).toEqual([{ found: true }]);
      const conditions = [sql`age > ${40}`, sql`id < ${3}`];
      expect(await db.sql`select name from person where ${sql.join(conditions, sql.raw(" and "))}`).toEqual([{ name: "Grace" }]);
    },
  },
  {
    title: "composes statements, and numbers their parameters anew",
    async run({ db }) {
      const inner = sql`select id from person where age > ${50}`;
      const outer = sql`select name from person where id in (${inner}) and name <> ${"Edsger"}`;
      expect(outer.text).toBe("select name from person where id in (select id from person where age > $1) and name <> $2");
      expect((await db.query(outer)).rows).toEqual([{ name: "Grace" }]);
      expect((await db.query(inner)).rowCount).toBe(2);
    },
  },
  {
    title: "sends a statement as often as it is asked to",
    async run({ db }) {
      const statement = sql<{ n: number }>`select ${3}::int as n`;
      expect(await Promise.all([db.query(statement), db.query(statement)]).then((both) => both.map(({ rows }) => rows))).toEqual([
        [{ n: 3 }],
        [{ n: 3 }],
      ]);
    },
  },
  {
    title: "sends nothing before a statement is queried",
    async run({ db }) {
      const statement = sql`insert into ledger values (${7002})`;
      expect("then" in statement).toBe(false);
      expect(await statement).toBe(statement);
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 7002`)).toBe(0);
    },
  },
  {
    title: "gives the same for the string form and the template",
    async run({ db }) {
      const [template, text] = [await db.query(sql`select ${1}::int as a`), await db.query("select $1::int as a", [1])];
      expect(text.rows).toEqual(template.rows);
      expect(text.fields).toEqual(template.fields);
    },
  },
  {
    title: "keeps concurrent queries' values apart",
    async run({ db }) {
      const answers = await Promise.all(Array.from({ length: 25 }, (_, i) => db.sql<{ n: number }>`select ${i}::int as n`));
      expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 25 }, (_, i) => i));
    },
  },
];

/** Values of JavaScript, as they are sent. */
export const parameters: Subject = { title: "parameters", cases: [...echoes.map(echo), ...statements] };
