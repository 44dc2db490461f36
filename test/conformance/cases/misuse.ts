import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { type Case, failureOf, type Subject } from "../case.ts";

const circular: Record<string, unknown> = {};
circular.self = circular;
const circularArray: unknown[] = [];
circularArray.push(circularArray);

class Hidden {
  readonly #data = 1;
  get data() {
    return this.#data;
  }
}

/** Objects that JSON would write as `{}` or take apart, for what they hold is not in properties. */
const exotic: readonly (readonly [title: string, value: () => unknown])[] = [
  ["a Set", () => new Set([1, 2, 3])],
  ["a Map", () => new Map([[1, 2]])],
  ["a Map of a class derived from it", () => Object.assign(new (class Own extends Map {})(), { a: 1 })],
  ["a Set that hides what it is", () => Object.defineProperty(Object.assign(new Set(), { a: 1 }), Symbol.toStringTag, { value: "Object" })],
  ["a proxy of a Set", () => new Proxy(new Set([1]), {})],
  ["a proxy of a Date", () => new Proxy(new Date(), {})],
  ["a WeakMap", () => new WeakMap()],
  ["a RegExp", () => /a/],
  ["an Error with properties", () => Object.assign(new TypeError("a"), { code: "b" })],
  ["an iterator", () => [1].values()],
  ["a generator", () => generate()],
  ["a number in an object", () => Object(1)],
  ["a text in an object", () => Object("a")],
  ["a boolean in an object", () => Object(false)],
  ["a bigint in an object", () => Object(1n)],
  ["a symbol in an object", () => Object(Symbol("s"))],
  ["an object of a class that keeps its data to itself", () => new Hidden()],
  ["Headers", () => unwritten(new Headers({ a: "b" }))],
  ["URLSearchParams", () => unwritten(new URLSearchParams("a=b"))],
  ["an AbortSignal", () => new AbortController().signal],
  ["Math", () => Math],
];

/** As everywhere but in Bun, where it writes itself as JSON. */
function unwritten<T extends object>(value: T): T {
  return Object.defineProperty(value, "toJSON", { value: undefined });
}

function* generate() {
  yield 1;
}

/** As many objects as levels, and two to the power of the levels when they are written out. */
function graph(levels: number, innermost: unknown = {}): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level++) value = { left: value, right: value };
  return value;
}

function transferred(): ArrayBuffer {
  const bytes = new ArrayBuffer(8);
  structuredClone(bytes, { transfer: [bytes] });
  return bytes;
}

function selfJson(): object {
  const value = { toJSON: () => ({ value }) };
  return value;
}

function nestedObject(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level++) value = { value };
  return value;
}

/** A value that has no meaning in SQL, and the code of its refusal. */
export const unsendable: readonly (readonly [title: string, value: () => unknown, code: string])[] = [
  ["undefined", () => undefined, "UNDEFINED_VALUE"],
  ["undefined in an array", () => [1, undefined], "UNDEFINED_VALUE"],
  ["undefined in an array's array", () => [[1], [undefined]], "UNDEFINED_VALUE"],
  ["an array with a hole", () => [1, ...new Array(1)], "UNDEFINED_VALUE"],
  ["an array that is nothing but holes", () => new Array(2), "UNDEFINED_VALUE"],
  ["undefined in an array inside an object", () => ({ a: [undefined] }), "UNDEFINED_VALUE"],
  ...exotic.map(([title, value]) => [title, value, "UNSUPPORTED_VALUE"] as const),
  ...exotic.map(([title, value]) => [`${title} in an array`, () => [value()], "UNSUPPORTED_VALUE"] as const),
  ...exotic.map(([title, value]) => [`${title} inside an object`, () => ({ a: [{ b: value() }] }), "UNSUPPORTED_VALUE"] as const),
  ["a typed array inside an object", () => ({ a: Uint8Array.of(1) }), "UNSUPPORTED_VALUE"],
  ["an ArrayBuffer inside an object", () => ({ a: new ArrayBuffer(1) }), "UNSUPPORTED_VALUE"],
  ["NaN inside an object", () => ({ a: Number.NaN }), "UNSUPPORTED_VALUE"],
  ["a function in an array inside an object", () => ({ a: [() => 1] }), "UNSUPPORTED_VALUE"],
  ["an object with a getter that throws", () => Object.defineProperty({}, "a", { get: fail, enumerable: true }), "UNSUPPORTED_VALUE"],
  ["an object whose toJSON gives a Map", () => ({ toJSON: () => new Map([[1, 2]]) }), "UNSUPPORTED_VALUE"],
  ["an object whose toJSON gives a Date", () => ({ a: { toJSON: () => new Date() } }), "UNSUPPORTED_VALUE"],
  ["sql inside an object", () => ({ a: sql`now()` }), "UNSUPPORTED_VALUE"],
  ["a piece of memory that was transferred", () => transferred(), "UNSUPPORTED_VALUE"],
  ["what only says it is a Date", () => ({ [Symbol.toStringTag]: "Date" }), "UNSUPPORTED_VALUE"],
  ["what only says it is an ArrayBuffer", () => ({ [Symbol.toStringTag]: "ArrayBuffer" }), "UNSUPPORTED_VALUE"],
  ["an object nested 100,000 deep", () => nestedObject(100_000), "UNSUPPORTED_VALUE"],
  ["an array of seven dimensions", () => nested(7), "UNSUPPORTED_VALUE"],
  ["a bigint behind a million paths", () => ({ graph: graph(20), n: 1n }), "UNSUPPORTED_VALUE"],
  ["a bigint at the end of a million paths", () => graph(20, { n: 1n }), "UNSUPPORTED_VALUE"],
  ["objects that are longer written out than a text can be", () => graph(64), "UNSUPPORTED_VALUE"],
  ["an object whose toJSON contains it", () => selfJson(), "CIRCULAR_VALUE"],
  ["an object that contains itself at the end of a million paths", () => graph(20, circular), "CIRCULAR_VALUE"],
  ["an invalid Date inside an object", () => ({ a: new Date(Number.NaN) }), "INVALID_DATE"],
  ["a promise inside an object", () => ({ a: Promise.resolve(1) }), "PROMISE_VALUE"],
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
    title: "refuses in sql.json what is no data",
    async run() {
      for (const [, value] of exotic) await failureOf(async () => sql.json(value()), { name: "UsageError", code: "UNSUPPORTED_VALUE" });
      await failureOf(async () => sql.json(new Date(Number.NaN)), { code: "INVALID_DATE" });
      await failureOf(async () => sql.json([1, undefined]), { code: "UNDEFINED_VALUE" });
    },
  },
  {
    title: "says of a value that is refused what it is and what to send instead, and never what is in it",
    async run({ db }) {
      const set = await failureOf(() => db.sql`select ${new Set(["canary"])}`, { code: "UNSUPPORTED_VALUE" });
      expect(set.message).toBe("Parameter $1 is a Set, which has no form in SQL; send [...set].");
      const map = await failureOf(() => db.sql`select ${1}, ${{ a: new Map([["canary", 1]]) }}`, { code: "UNSUPPORTED_VALUE" });
      expect(map.message).toBe("Parameter $2 holds a Map, which has no form in JSON; send Object.fromEntries(map).");
      const hidden = await failureOf(() => db.sql`select ${new Hidden()}`, { code: "UNSUPPORTED_VALUE" });
      expect(hidden.message).toContain("is a Hidden, which has no form in SQL; send what is in it, or give it a toJSON or toPostgres");
      const named = { [Symbol.toStringTag]: "canary" };
      expect((await failureOf(() => db.sql`select ${named}`, { code: "UNSUPPORTED_VALUE" })).message).not.toContain("canary");
    },
  },
  {
    title: "refuses a statement that is none",
    async run({ db }) {
      for (const statement of [undefined, null, 5, {}, [], () => "select 1", sql.join([])]) {
        await failureOf(() => db.query(statement as never), { name: "UsageError", code: "INVALID_STATEMENT", fate: "not-sent" });
      }
      await failureOf(() => (db.sql as unknown as (text: string) => Promise<unknown>)("select 1"), { code: "INVALID_STATEMENT" });
    },
  },
  {
    title: "refuses a script that is no text, before it is sent",
    async run({ db }) {
      for (const script of [undefined, 5, sql`select 1`, { text: "select 1" }, { text: "select $1", values: [1] }]) {
        await failureOf(() => db.script(script as never), { name: "UsageError", code: "INVALID_STATEMENT", fate: "not-sent" });
      }
      await failureOf(() => db.script(Promise.reject(new Error("own")) as never), { name: "UsageError", code: "PROMISE_VALUE" });
      await failureOf(() => db.script("select '\0'"), { name: "UsageError", code: "NUL_CHARACTER" });
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
      for (const make of [
        () => sql.id(),
        () => sql.id(""),
        () => sql.id("a", ""),
        () => sql.join([], sql` and `),
        () => sql.id(5 as never),
      ]) {
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
        { types: { "x[]": () => 1 } },
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
