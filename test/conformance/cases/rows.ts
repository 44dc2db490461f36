import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { type Case, comparable, failureOf, onlyValue, type Subject } from "../case.ts";

const at = new Date(Date.UTC(2026, 1, 3, 4, 5, 6));

/** A value for every column of `shelf`, as it is sent and as it comes back. */
const full = {
  id: 1,
  word: "a",
  letters: "xyz",
  tags: ["a,b", '"', "{}"],
  data: { a: [1] },
  mood: "so-so",
  at,
  bytes: Uint8Array.of(0, 255),
  pair: "(1,x)",
  'odd " name': 7,
};
const empty = { ...Object.fromEntries(Object.keys(full).map((name) => [name, null])), id: 2 };

const types = {
  id: "int",
  word: "varchar(5)",
  letters: "char(3)",
  tags: "text[]",
  data: "jsonb",
  mood: "mood",
  at: "timestamp with time zone",
  bytes: "bytea",
  pair: "pair",
  'odd " name': "pg_catalog.int4",
};
const columns = sql.join(Object.keys(types).map((name) => sql.id(name)));

function read(found: readonly Record<string, unknown>[]): unknown {
  return found.map((row) => ({ ...row, bytes: comparable(row.bytes) }));
}

const cases: readonly Case[] = [
  {
    title: "inserts rows by sql.values, each value as its column's type",
    async run({ db }) {
      await db.sql`delete from shelf`;
      expect(read(await db.sql`insert into shelf ${sql.values([full, empty])} returning *`)).toEqual(read([full, empty]));
    },
  },
  {
    title: "inserts rows by sql.unnest, each value as its column's type",
    async run({ db }) {
      await db.sql`delete from shelf`;
      const rows = [full, empty, { ...full, data: sql.json([1, "a"]), tags: [] }];
      const back = await db.sql`insert into shelf (${columns}) ${sql.unnest(rows, types)} returning *`;
      expect(read(back)).toEqual(read([full, empty, { ...full, data: [1, "a"], tags: [] }]));
    },
  },
  {
    title: "inserts 10,000 rows of seven columns by one statement",
    async run({ db }) {
      await db.sql`delete from shelf`;
      const rows = Array.from({ length: 10_000 }, (_, id) => ({ ...full, id, word: String(id) }));
      await failureOf(() => db.query(sql`insert into shelf ${sql.values(rows)}`), { code: "TOO_MANY_PARAMETERS", fate: "not-sent" });
      const { rowCount } = await db.query(sql`insert into shelf (${columns}) ${sql.unnest(rows, types)}`);
      expect(rowCount).toBe(10_000);
      expect(await onlyValue(db.sql`select count(distinct (id, word))::int from shelf where id::text = word`)).toBe(10_000);
      await db.sql`delete from shelf`;
    },
  },
  {
    title: "inserts nothing by sql.unnest of no rows",
    async run({ db }) {
      expect((await db.query(sql`insert into shelf (id) ${sql.unnest([], { id: "int" })}`)).rowCount).toBe(0);
    },
  },
  {
    title: "updates by sql.set, and from a table of sql.unnest",
    async run({ db }) {
      await db.sql`delete from shelf`;
      await db.sql`insert into shelf ${sql.values([{ id: 1 }, { id: 2 }])}`;
      await db.sql`update shelf set ${sql.set({ word: sql`upper(${"b"})`, tags: ["x"], 'odd " name': null, mood: sql`default` })} where id = ${1}`;
      await db.sql`update shelf set word = given.word from (${sql.unnest([{ id: 2, word: "c" }], { id: "int", word: "text" })}) as given
        where shelf.id = given.id`;
      expect(await db.sql`select id, word, tags from shelf order by id`).toEqual([
        { id: 1, word: "B", tags: ["x"] },
        { id: 2, word: "c", tags: null },
      ]);
    },
  },
  {
    title: "finds nothing in an empty list, and everything outside of it",
    async run({ db }) {
      const none = sql.join([]);
      expect(await db.sql`select id in (${none}) as within, id not in (${none}) as outside from person where id = 1`).toEqual([
        { within: false, outside: true },
      ]);
      expect(await db.sql`select id from person where name = 'Ada' and boss not in (${none}) or id in (${none})`).toEqual([{ id: 1 }]);
    },
  },
  {
    title: "refuses a row without a value, and an empty list elsewhere, before anything is sent",
    async run({ db }) {
      await failureOf(async () => db.sql`insert into shelf ${sql.values([{ id: undefined }])}`, {
        code: "UNDEFINED_VALUE",
        fate: "not-sent",
      });
      await failureOf(async () => db.sql`insert into shelf ${sql.values([])}`, { code: "INVALID_STATEMENT", fate: "not-sent" });
      await failureOf(async () => db.sql`update shelf set ${sql.set({})}`, { code: "INVALID_STATEMENT", fate: "not-sent" });
      await failureOf(() => db.sql`select array[${sql.join([])}]::int[]`, { code: "INVALID_STATEMENT", fate: "not-sent" });
    },
  },
];

/** Rows given as objects, and lists of nothing. */
export const rows: Subject = { title: "rows that are given", cases };
