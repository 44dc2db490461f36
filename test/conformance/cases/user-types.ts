import { expect } from "vitest";
import type { Row } from "../../../src/database/sql.ts";
import { sql } from "../../../src/database/sql.ts";
import { type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const statement = sql`select array['sad', null]::mood[] as moods, 'sad'::mood as mood, array[5]::positive[] as numbers, 'x'::text as word`;
const row = { moods: ["sad", null], mood: "sad", numbers: [5], word: "x" };

/** Reads a pair as what it holds. */
const readPair = (text: string) => {
  const [, number, word] = /^\((\d+),(\w+)\)$/.exec(text) ?? [];
  return { number: Number(number), word };
};

const cases: readonly Case[] = [
  {
    title: "reads arrays of a user's types in a query, a batch, a transaction and a session, at the first call and later",
    async run({ open }) {
      const ways: readonly ((db: ReturnType<typeof open>) => Promise<Row[]>)[] = [
        async (db) => (await db.query(statement)).rows,
        async (db) => (await db.query(statement, { readOnly: true })).rows,
        async (db) => (await db.batch([sql`select 1 as one`, statement]))[1].rows,
        (db) => db.transaction(async (tx) => (await tx.query(statement)).rows),
        (db) => db.transaction((tx) => tx.transaction(async (inner) => (await inner.query(statement)).rows)),
        (db) => db.session(async (session) => (await session.query(statement)).rows),
      ];
      for (const way of ways) {
        const own = open();
        for (let time = 0; time < 3; time++) expect(await way(own)).toEqual([row]);
      }
    },
  },
  {
    title: "reads them in rows that are arrays, and where columns have the same name",
    async run({ open }) {
      const twice = sql`select '{sad}'::mood[] as value, null::mood[] as value, '{happy}'::mood[] as value union all select null, '{}', null`;
      const asArrays = [
        [["sad"], null, ["happy"]],
        [null, [], null],
      ];
      for (const own of [open(), open()]) {
        expect((await own.query(twice)).rows).toEqual([{ value: ["happy"] }, { value: null }]);
        expect((await own.query(twice, { rowMode: "array" })).rows).toEqual(asArrays);
        expect(await own.transaction(async (tx) => (await tx.query(twice, { rowMode: "array" })).rows)).toEqual(asArrays);
      }
    },
  },
  {
    title: "reads an array of a type that its own transaction has made",
    async run({ open }) {
      const own = open();
      const undone = new Error("undone");
      const inside = own.transaction(async (tx) => {
        await tx.sql`create type made_inside as enum ('new')`;
        expect(await onlyValue(tx.sql`select '{new}'::made_inside[]`)).toEqual(["new"]);
        throw undone;
      });
      await expect(inside).rejects.toBe(undone);
    },
  },
  {
    title: "reads an array of a type that was dropped and made again",
    async run({ open }) {
      const own = open();
      for (const label of ["first", "second"]) {
        await own.script(`drop type if exists made_again; create type made_again as enum ('${label}')`);
        const ask = sql`select ${`{${label}}`}::text::made_again[] as value`;
        expect((await own.query(ask)).rows).toEqual([{ value: [label] }]);
      }
    },
  },
  {
    title: "reads by parsers that are given by name, of types of its own and built in, and arrays of them",
    async run({ open, mark }) {
      const types = { mood: (text: string) => text.toUpperCase(), [`${mark}.pair`]: readPair, numeric: Number, bigint: BigInt };
      const ask = sql`select 'sad'::mood as mood, '{sad,NULL}'::mood[] as moods, '{"{happy}"}'::moods[] as lists, '(1,a)'::pair as pair,
        array['(2,b)']::pair[] as pairs, 1.5::numeric as number, '{1.5,NULL}'::numeric[] as numbers, 7::int8 as big, '{8}'::int8[] as bigs,
        '{1,2}'::int[] as same, 'x'::text as word, null::mood as nothing`;
      const expected = {
        mood: "SAD",
        moods: ["SAD", null],
        lists: [["HAPPY"]],
        pair: { number: 1, word: "a" },
        pairs: [{ number: 2, word: "b" }],
        number: 1.5,
        numbers: [1.5, null],
        big: 7n,
        bigs: [8n],
        same: [1, 2],
        word: "x",
        nothing: null,
      };
      for (const own of [open({ types }), open({ types })]) {
        for (let time = 0; time < 2; time++) {
          expect((await own.query(ask)).rows).toEqual([expected]);
          expect((await own.batch([ask]))[0].rows).toEqual([expected]);
          expect(await own.transaction(async (tx) => (await tx.query(ask)).rows)).toEqual([expected]);
        }
      }
    },
  },
  {
    title: "prefers a parser by number to one by name, and one with a schema to one without",
    async run({ open, mark }) {
      const types = { 1700: () => "number", numeric: () => "name", mood: () => "mood", [`${mark}.mood`]: () => "own mood" };
      const own = open({ types });
      expect(await own.sql`select 1::numeric as a, 'sad'::mood as b, '{sad}'::mood[] as c`).toEqual([
        { a: "number", b: "own mood", c: ["own mood"] },
      ]);
    },
  },
  {
    title: "says which column a parser by name could not read",
    async run({ open }) {
      const own = open({
        types: {
          mood: (text) => {
            throw new Error(text);
          },
        },
      });
      for (const place of ["first", "later"]) {
        const error = await failureOf(() => own.sql`select 1 as one, '{sad}'::mood[] as ${sql.id(place)}`, {
          name: "DecodeError",
          code: "DECODE_FAILED",
          fate: "applied",
        });
        expect(error).toMatchObject({ column: place, columnIndex: 1 });
        expect(`${error.message} ${(error.cause as Error).stack}`).not.toContain("sad");
      }
    },
  },
];

/** Types of the database's own users. */
export const userTypes: Subject = { title: "types of users", cases };
