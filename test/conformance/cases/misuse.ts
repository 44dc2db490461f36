import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { type Case, failureOf, type Subject } from "../case.ts";

const circular: Record<string, unknown> = {};
circular.self = circular;
const circularArray: unknown[] = [];
circularArray.push(circularArray);

/** A value that has no meaning in SQL, and the code of its refusal. */
export const unsendable: readonly (readonly [title: string, value: () => unknown, code: string])[] = [
  ["undefined", () => undefined, "UNDEFINED_VALUE"],
  ["a promise", () => Promise.resolve(1), "PROMISE_VALUE"],
  ["a thenable", () => thenable(), "PROMISE_VALUE"],
  ["a promise in an array", () => [Promise.resolve(1)], "PROMISE_VALUE"],
  ["a symbol", () => Symbol("s"), "UNSUPPORTED_VALUE"],
  ["a function", () => () => 1, "UNSUPPORTED_VALUE"],
  ["a symbol in an array", () => [1, Symbol("s")], "UNSUPPORTED_VALUE"],
  ["a bigint inside an object", () => ({ a: 1n }), "UNSUPPORTED_VALUE"],
  ["an object whose toJSON throws", () => ({ toJSON: () => fail() }), "UNSUPPORTED_VALUE"],
  ["an object whose toJSON gives nothing", () => ({ toJSON: () => undefined }), "UNSUPPORTED_VALUE"],
  ["an object that contains itself", () => circular, "CIRCULAR_VALUE"],
  ["an array that contains itself", () => circularArray, "CIRCULAR_VALUE"],
  ["an object whose toPostgres gives itself", () => selfPostgres(), "CIRCULAR_VALUE"],
  ["an array nested 100,000 deep", () => nested(100_000), "UNSUPPORTED_VALUE"],
  ["an invalid Date", () => new Date("nonsense"), "INVALID_DATE"],
  ["an invalid Date in an array", () => [new Date(Number.NaN)], "INVALID_DATE"],
  ["a NUL character", () => "a\0b", "NUL_CHARACTER"],
  ["a NUL character in an array", () => ["a\0b"], "NUL_CHARACTER"],
  ["half a surrogate pair", () => "a\uD83D", "LONE_SURROGATE"],
  ["half a surrogate pair in an array", () => ["\uDC00"], "LONE_SURROGATE"],
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

function fail(): never {
  throw new Error("own");
}

/** What a promise of another kind looks like. */
function thenable(): object {
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is meant here
  return { then: () => {} };
}

function selfPostgres(): object {
  const value = { toPostgres: (): unknown => value };
  return value;
}

const refusing = ([title, value, code]: (typeof unsendable)[number]): Case => ({
  title: `refuses ${title} as a value, on every way in`,
  async run({ db }) {
    const expected = { name: "UsageError", code, fate: "not-sent", retryable: false } as const;
    await failureOf(() => db.sql`select ${value()}`, expected);
    await failureOf(() => db.query("select $1", [value()]), expected);
    await failureOf(() => db.batch([sql`select ${value()}`]), expected);
    await failureOf(() => db.transaction((tx) => tx.sql`select ${value()}`), expected);
    await failureOf(() => db.session((session) => session.sql`select ${value()}`), expected);
  },
});

const cases: readonly Case[] = [
  ...unsendable.map(refusing),
  {
    title: "refuses a statement that is none",
    async run({ db }) {
      for (const statement of [undefined, null, 5, {}, [], () => "select 1"]) {
        await failureOf(() => db.query(statement as never), { name: "UsageError", code: "INVALID_STATEMENT", fate: "not-sent" });
      }
      await failureOf(() => (db.sql as unknown as (text: string) => Promise<unknown>)("select 1"), { code: "INVALID_STATEMENT" });
    },
  },
  {
    title: "refuses a promise as a statement",
    async run({ db }) {
      const sent = db.sql`select 1 as n`;
      await failureOf(() => db.query(sent as never), { name: "UsageError", code: "PROMISE_VALUE" });
      await sent;
    },
  },
  {
    title: "refuses values that are not an array",
    async run({ db }) {
      await failureOf(() => db.query("select $1", "x" as never), { name: "UsageError", code: "INVALID_STATEMENT" });
      await failureOf(() => db.query("select $1", { a: 1 } as never), { name: "UsageError", code: "INVALID_STATEMENT" });
    },
  },
  {
    title: "refuses NUL and half a surrogate pair in a statement's text",
    async run({ db }) {
      await failureOf(() => db.query("select '\0'"), { name: "UsageError", code: "NUL_CHARACTER" });
      await failureOf(() => db.query("select '\uD83D'"), { name: "UsageError", code: "LONE_SURROGATE" });
      await failureOf(() => db.sql`select ${sql.raw("'\0'")}`, { code: "NUL_CHARACTER" });
      await failureOf(async () => sql.id("a\0"), { code: "NUL_CHARACTER" });
    },
  },
  {
    title: "refuses options a call does not have, and values they do not take",
    async run({ db }) {
      const wrong = [
        { timeout: 5 },
        { deadlineMs: -1 },
        { deadlineMs: Number.NaN },
        { deadlineMs: "5" },
        { signal: {} },
        { readOnly: 1 },
        { idempotent: "yes" },
        { rowMode: "map" },
        5,
        null,
      ];
      for (const options of wrong)
        await failureOf(() => db.query("select 1", [], options as never), { name: "UsageError", code: "INVALID_OPTION", fate: "not-sent" });
      await failureOf(() => db.batch([sql`select 1`], { isolation: "chaos" as never }), { code: "INVALID_OPTION" });
      await failureOf(() => db.session(async () => {}, { readOnly: true } as never), { code: "INVALID_OPTION" });
    },
  },
  {
    title: "refuses empty names and empty lists",
    async run() {
      for (const make of [() => sql.id(), () => sql.id(""), () => sql.id("a", ""), () => sql.join([]), () => sql.id(5 as never)]) {
        await failureOf(async () => make(), { name: "UsageError", code: "INVALID_STATEMENT" });
      }
    },
  },
  {
    title: "refuses JSON that sql.json cannot write",
    async run() {
      await failureOf(async () => sql.json(undefined), { code: "UNSUPPORTED_VALUE" });
      await failureOf(async () => sql.json(1n), { code: "UNSUPPORTED_VALUE" });
      await failureOf(async () => sql.json(circular), { code: "CIRCULAR_VALUE" });
      await failureOf(async () => sql.json(() => 1), { code: "UNSUPPORTED_VALUE" });
    },
  },
  {
    title: "refuses settings that do not exist or are out of range, when the database is made",
    async run({ open }) {
      const wrong = [
        { maximum: 5 },
        { max: 0 },
        { max: Number.NaN },
        { deadlineMs: -1 },
        { connectTimeoutMs: 0 },
        { endpoint: "nonsense" },
        { types: { x: () => 1 } },
        { port: 99_999 },
      ];
      for (const options of wrong) {
        await failureOf(async () => open(options as never), { name: "ConfigError", code: expect.any(String) as string, fate: "not-sent" });
      }
    },
  },
  {
    title: "refuses everything after close, and closes twice",
    async run({ open }) {
      const closing = open();
      expect(await closing.sql`select 1 as n`).toEqual([{ n: 1 }]);
      await closing.close();
      await closing.close();
      const closed = { name: "UsageError", code: "CLOSED", fate: "not-sent" } as const;
      await failureOf(() => closing.sql`select 1`, closed);
      await failureOf(() => closing.query("select 1"), closed);
      await failureOf(() => closing.batch([sql`select 1`]), closed);
      await failureOf(() => closing.transaction(async () => {}), closed);
      await failureOf(() => closing.session(async () => {}), closed);
      await failureOf(() => closing.script("select 1"), closed);
    },
  },
  {
    title: "lets what runs finish when it is closed",
    async run({ open }) {
      const closing = open();
      const running = closing.sql`select pg_sleep(0.1)::text as slept, 1 as n`;
      const transaction = closing.transaction(async (tx) => {
        await tx.sql`select 1`;
        return tx.sql`select 2 as n`;
      });
      await closing.close();
      expect(await running).toEqual([{ slept: "", n: 1 }]);
      expect(await transaction).toEqual([{ n: 2 }]);
    },
  },
  {
    title: "is closed by `await using`",
    async run({ open }) {
      const database = open();
      {
        await using using = database;
        await using.sql`select 1`;
      }
      await failureOf(() => database.sql`select 1`, { code: "CLOSED" });
    },
  },
  {
    title: "leaves one handle open when another is closed",
    async run({ db, open }) {
      const another = open();
      await another.sql`select 1`;
      await another.close();
      expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "tells what was chosen and why, and counts what it does",
    async run({ db, transport }) {
      expect(db.plan).toMatchObject({ transport });
      expect(Object.isFrozen(db.plan)).toBe(true);
      expect(Object.values(db.plan.reasons).every((reason) => reason.length > 0)).toBe(true);
      const before = db.stats();
      await db.transaction((tx) => tx.sql`select 1`);
      const after = db.stats();
      expect(after).toMatchObject({ transport, running: 0, waiting: 0 });
      expect(after.connects + after.reuses).toBeGreaterThan(before.connects + before.reuses);
    },
  },
  {
    title: "shows no password in its plan, its statistics or its statements",
    async run({ db, open }) {
      const secret = "canary-password-8d2e";
      const other = open({ password: secret });
      expect(JSON.stringify([db.plan, db.stats(), other, other.plan, other.stats()])).not.toContain(secret);
      const statement = sql`select ${secret}`;
      expect([String(statement), JSON.stringify(statement)].join()).not.toContain(secret);
    },
  },
];

/** Calls that are wrong in themselves, and the end of a database. */
export const misuse: Subject = { title: "misuse", cases };
