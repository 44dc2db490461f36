import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import type { DatabaseOptions } from "../../../src/decide/settings.ts";
import { isWarmlineError } from "../../../src/errors/errors.ts";
import { untouchable, type WayToThrow, waysToFail, waysToThrow } from "../../support/ways-to-throw.ts";
import { type Bench, type Case, failureOf, type Subject } from "../case.ts";

const getter = (name: string, get: () => unknown) => Object.defineProperty({}, name, { get, enumerable: true });

/** What a call is given, whose code is not this package's, and what the call rejects with when that code fails at once. */
const handedIn: Readonly<Record<string, readonly [code: string, call: (bench: Bench, run: () => never) => Promise<unknown>]>> = {
  "the toPostgres of a value": ["UNSUPPORTED_VALUE", ({ db }, run) => db.query("select $1", [{ toPostgres: run }])],
  "the toJSON of a value": ["UNSUPPORTED_VALUE", ({ db }, run) => db.query("select $1", [{ toJSON: run }])],
  "a getter of a value": ["UNSUPPORTED_VALUE", ({ db }, run) => db.query("select $1", [getter("a", run)])],
  "a getter of a value in an array": ["UNSUPPORTED_VALUE", ({ db }, run) => db.sql`select ${[getter("a", run)]}`],
  "a getter of the values": ["UNSUPPORTED_VALUE", ({ db }, run) => db.query("select $1", new Proxy([1], { get: run }))],
  "a getter of a batch's statements": ["UNSUPPORTED_VALUE", ({ db }, run) => db.batch(new Proxy([sql`select 1`], { get: run }))],
  "a value in a transaction": ["UNSUPPORTED_VALUE", ({ db }, run) => db.transaction((tx) => tx.query("select $1", [{ toPostgres: run }]))],
  "a value in a session": ["UNSUPPORTED_VALUE", ({ db }, run) => db.session((held) => held.query("select $1", [{ toPostgres: run }]))],
  "a getter of a call's options": ["INVALID_OPTION", ({ db }, run) => db.query("select 1", [], getter("readOnly", run))],
  "a getter of a transaction's options": ["INVALID_OPTION", ({ db }, run) => db.transaction(async () => {}, getter("retries", run))],
};

const throwingAtOnce = ([what, [code, call]]: (typeof handed)[number]): Case => ({
  title: `tells in its own words that ${what} threw, whatever it was`,
  async run(bench) {
    for (const { run } of waysToThrow) {
      const error = await failureOf(() => call(bench, run), { name: "UsageError", code, fate: "not-sent", retryable: false });
      expect(`${error.message} ${error.stack}`).not.toContain("canary");
    }
  },
});

const rejectingLater = ([what, [, call]]: (typeof handed)[number]): Case => ({
  title: `leaves no rejection unheard of ${what}`,
  async run(bench) {
    for (const { what: thrown } of waysToThrow) {
      const ended = await call(bench, () => Promise.reject(thrown) as never).catch((error: unknown) => error);
      expect(isWarmlineError(ended) && ended.fate).toBe("not-sent");
    }
  },
});

const handed = Object.entries(handedIn);
/** What may be a promise only by mistake. */
const values = handed.filter(([what]) => !/values|statements/.test(what));

/** Settings that are code, and what the first call says of them; those that are read when the database is made say it then. */
const settings: Readonly<Record<string, (run: () => never) => DatabaseOptions>> = {
  "a getter of the parsers": (run) => ({ types: getter("23", run) }),
  "a getter of the environment": (run) => ({ env: getter("HYPERDRIVE", run) }),
  "a getter of a binding": (run) => ({ env: { HYPERDRIVE: getter("connectionString", run) } }),
  "the setting tcp": (run) => ({ tcp: run }),
};

const callbacks: Readonly<Record<string, (bench: Bench, run: () => never) => Promise<unknown>>> = {
  "a transaction": ({ db }, run) => db.transaction(async () => run()),
  "a transaction, behind a statement": ({ db }, run) => db.transaction(async (tx) => tx.sql`select 1`.then(run)),
  "a savepoint": ({ db }, run) => db.transaction((tx) => tx.transaction(async (inner) => inner.sql`select 1`.then(run))),
  "a session": ({ db }, run) => db.session(async () => run()),
  "a session, behind a statement": ({ db }, run) => db.session(async (session) => session.sql`select 1`.then(run)),
};

const inParsers = (place: string, call: (bench: Bench) => Promise<unknown>, fate: "applied" | "refused"): Case => ({
  title: `reads no value with a parser that fails, whatever it throws or rejects with: ${place}`,
  async run({ open, ...bench }) {
    let fail: WayToThrow["run"] = waysToFail[0]?.run as WayToThrow["run"];
    const db = open({ types: { 23: () => fail() } });
    for (const { run } of waysToFail) {
      fail = run;
      const error = await failureOf(() => call({ ...bench, open, db }), { name: "DecodeError", code: "DECODE_FAILED", fate });
      expect(`${error.message} ${error.stack}`).not.toContain("canary");
      expect((await db.sql`select 'still here' as word`).length).toBe(1);
    }
    expect(db.stats().running).toBe(0);
  },
});

const cases: readonly Case[] = [
  ...handed.map(throwingAtOnce),
  ...values.map(rejectingLater),
  ...Object.entries(settings).map(
    ([what, make]): Case => ({
      title: `tells as a setting that ${what} threw, whatever it was`,
      async run({ open }) {
        for (const { run } of waysToThrow) {
          const error = await failureOf(async () => open(make(run)).sql`select 1`, { name: "ConfigError", code: "INVALID_SETTING" });
          expect(error.message).not.toContain("canary");
        }
      },
    }),
  ),
  inParsers("a query", ({ db }) => db.sql`select 1`, "applied"),
  inParsers("a batch", ({ db }) => db.batch([sql`select 1`]), "applied"),
  inParsers("a transaction", ({ db }) => db.transaction((tx) => tx.sql`select 1`), "refused"),
  ...Object.entries(callbacks).map(
    ([what, call]): Case => ({
      title: `hands on what the callback of ${what} throws, as it is`,
      async run(bench) {
        for (const { what: thrown, run } of waysToFail) {
          const outcome = await call(bench, run).then(
            () => ({ thrown: "nothing" }),
            (error: unknown) => ({ thrown: error }),
          );
          expect(Object.is(outcome.thrown, thrown)).toBe(true);
        }
      },
    }),
  ),
  {
    title: "tells listeners of a call, whatever another of them or the callback throws",
    async run({ open }) {
      const db = open();
      const told: unknown[] = [];
      const stops = waysToFail.map(({ run }) => db.subscribe(run));
      db.subscribe((event) => event.type === "query" && told.push(event.failure?.fate));
      expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
      for (const { run } of waysToThrow) await db.transaction(async () => run()).catch(() => {});
      for (const stop of stops) stop();
      expect(told).toEqual([undefined, ...waysToThrow.map(() => null)]);
    },
  },
  {
    title: "refuses a signal, a callback and a statement that cannot be touched",
    async run({ db }) {
      const signal = Object.create(AbortSignal.prototype);
      await failureOf(() => db.query("select 1", [], { signal }), { name: "UsageError", code: "INVALID_OPTION" });
      await failureOf(() => db.query("select 1", [], untouchable() as never), { name: "UsageError", code: "INVALID_OPTION" });
      await failureOf(() => db.query(untouchable() as never), { name: "UsageError", code: "UNSUPPORTED_VALUE" });
      for (const value of [untouchable(), [untouchable()], { a: untouchable() }])
        await failureOf(() => db.sql`select ${value}`, { name: "UsageError", code: "UNSUPPORTED_VALUE", fate: "not-sent" });
      for (const work of [undefined, null, "work", {}]) {
        await failureOf(() => db.transaction(work as never), { name: "UsageError", code: "INVALID_OPTION", fate: "not-sent" });
        await failureOf(() => db.session(work as never, {}), { name: "UsageError", code: "INVALID_OPTION", fate: "not-sent" });
        await failureOf(() => db.transaction((tx) => tx.transaction(work as never)), { name: "UsageError", code: "INVALID_OPTION" });
      }
    },
  },
];

/** What code that is handed in throws. */
export const foreign: Subject = { title: "code of the caller's", cases };
