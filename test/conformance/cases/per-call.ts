import { expect } from "vitest";
import type { TypeParsers } from "../../../src/database/parsers.ts";
import type { Queries } from "../../../src/database/queries.ts";
import { sql } from "../../../src/database/sql.ts";
import { type Bench, type Case, failureOf, type Subject } from "../case.ts";

const INT8 = 20;
const DATE = 1082;
const text = "select 9007199254740993::int8 as big, date '2026-11-26' as day, 1::int4 as small";

/** Reads int8 as a BigInt and dates as their text; of everything else it knows nothing. */
const own: TypeParsers = { getTypeParser: (typeId) => (typeId === INT8 ? BigInt : typeId === DATE ? String : undefined) };
const read = { big: 9007199254740993n, day: "2026-11-26", small: 1 };
const usual = { big: "9007199254740993", day: new Date(2026, 10, 26), small: 1 };

/** Everything a statement can be sent by, with its rows. */
type Send = (bench: Bench, options: { types?: TypeParsers }) => Promise<unknown>;
const byQueries = async (queries: Queries, options: { types?: TypeParsers }) => (await queries.query(text, [], options)).rows[0];
const ways: Readonly<Record<string, Send>> = {
  query: async ({ db }, options) => (await db.query(text, [], options)).rows[0],
  "a readOnly query": async ({ db }, options) => (await db.query(sql.raw(text), { ...options, readOnly: true })).rows[0],
  batch: async ({ db }, options) => (await db.batch([sql`select 1`, { text }], options))[1].rows[0],
  "tx.query": ({ db }, options) => db.transaction((tx) => byQueries(tx, options)),
  "the query of a savepoint": ({ db }, options) => db.transaction((tx) => tx.transaction((inner) => byQueries(inner, options))),
  "session.query": ({ db }, options) => db.session((session) => byQueries(session, options)),
};

const sendBoth = (queries: Queries) =>
  Promise.all([queries.query({ text: "select $1::int as n", values: [7] }), queries.query({ text: "select 8 as n" })]);

const cases: readonly Case[] = [
  ...Object.entries(ways).map(
    ([name, send]): Case => ({
      title: `reads the rows of ${name} by the types of the call, and those of the next as before`,
      async run(bench) {
        for (let turn = 0; turn < 3; turn++) {
          expect(await send(bench, { types: own })).toEqual(read);
          expect(await send(bench, {})).toEqual(usual);
        }
      },
    }),
  ),
  {
    title: "reads one text in several ways at once",
    async run({ db }) {
      const asText: TypeParsers = { getTypeParser: () => String };
      const types = [own, undefined, asText, own, undefined, asText];
      const results = await Promise.all(types.map((each) => db.query(text, [], { types: each })));
      const texts = { big: "9007199254740993", day: "2026-11-26", small: "1" };
      expect(results.map(({ rows }) => rows[0])).toEqual([read, usual, texts, read, usual, texts]);
    },
  },
  {
    title: "reads by the database's own types what those of the call leave out",
    async run({ open }) {
      const db = open({ types: { 23: (value) => `own ${value}`, [INT8]: Number } });
      expect((await db.query(text, [], { types: own })).rows[0]).toEqual({ ...read, small: "own 1" });
    },
  },
  {
    title: "reads rows as arrays by the types of the call",
    async run({ db }) {
      const { rows } = await db.query(text, [], { types: own, rowMode: "array" });
      expect(rows).toEqual([Object.values(read)]);
    },
  },
  ...["a parser", "getTypeParser"].map(
    (what): Case => ({
      title: `tells that the statement was done when ${what} of the call throws`,
      async run({ db }) {
        const fail = () => {
          throw new Error("secret");
        };
        const types: TypeParsers = { getTypeParser: what === "a parser" ? () => fail : fail };
        const error = await failureOf(() => db.query(text, [], { types }), { code: "DECODE_FAILED", fate: "applied" });
        expect(error).toMatchObject({ column: "big", typeId: INT8 });
        expect(error.message).not.toContain("secret");
        expect((await db.query(text)).rows).toEqual([usual]);
      },
    }),
  ),
  {
    title: "refuses a parser of the call that gives a promise",
    async run({ db }) {
      const types: TypeParsers = { getTypeParser: () => async () => 1 };
      await failureOf(() => db.query(text, [], { types }), { code: "DECODE_FAILED", fate: "applied" });
    },
  },
  {
    title: "refuses types that are no parsers",
    async run({ db }) {
      for (const types of [{}, { 20: BigInt }, null, "json", 1] as never[]) {
        await failureOf(() => db.query(text, [], { types }), { code: "INVALID_OPTION", fate: "not-sent" });
        await failureOf(() => db.transaction((tx) => tx.query(text, [], { types })), { code: "INVALID_OPTION", fate: "not-sent" });
      }
    },
  },
  {
    title: "takes a text with its values wherever sql`…` goes",
    async run({ db }) {
      const expected = [[{ n: 7 }], [{ n: 8 }]];
      const rowsOf = (results: readonly { readonly rows: unknown }[]) => results.map(({ rows }) => rows);
      expect(rowsOf(await sendBoth(db as unknown as Queries))).toEqual(expected);
      expect(rowsOf(await db.batch([{ text: "select $1::int as n", values: [7] }, sql`select 8 as n`]))).toEqual(expected);
      expect(rowsOf(await db.transaction(sendBoth))).toEqual(expected);
      expect(rowsOf(await db.session(sendBoth))).toEqual(expected);
      expect((await db.query({ text: "select $1::int", values: [7] }, { rowMode: "array" })).rows).toEqual([[7]]);
    },
  },
  {
    title: "refuses what is no text with values, and what pg takes beside them",
    async run({ db }) {
      const wrong = [
        {},
        { text: 1 },
        { text: "select 1", values: 1 },
        { text: "select 1", rowMode: "array" },
        { text: "select 1", name: "n" },
        { sql: "select 1" },
        Object.create({ text: "select 1" }),
        null,
        [],
      ] as never[];
      for (const statement of wrong) {
        await failureOf(() => db.query(statement), { code: "INVALID_STATEMENT", fate: "not-sent" });
        await failureOf(() => db.batch([statement]), { code: "INVALID_STATEMENT", fate: "not-sent" });
      }
      const values = [undefined];
      await failureOf(() => db.batch([{ text: "select $1", values }]), { code: "UNDEFINED_VALUE", fate: "not-sent" });
      await failureOf(() => db.batch([{ text: "commit" }]), { code: "TRANSACTION_CONTROL", fate: "not-sent" });
      await failureOf(() => db.query({ text: "set work_mem = '1MB'" }), { code: "SESSION_STATE", fate: "not-sent" });
    },
  },
];

export const perCall: Subject = { title: "what one call brings", cases };
