import { expect, inject } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { sql } from "../../../src/database/sql.ts";
import type { DatabaseOptions, PasswordSource } from "../../../src/decide/settings.ts";
import { type Bench, type Case, type ExpectedError, failureOf, type Subject } from "../case.ts";

const rightPassword = () => decodeURIComponent(new URL(inject("postgres").url).password);

const never = () => new Promise<string>(() => {});

/** Every way to the server that asks for a password. */
const ways: readonly (readonly [title: string, call: (db: Database, limits: { readonly signal?: AbortSignal }) => Promise<unknown>])[] = [
  ["query", (db, limits) => db.query("select 1", [], limits)],
  ["batch", (db, limits) => db.batch([sql`select 1`], limits)],
  ["transaction", (db, limits) => db.transaction((tx) => tx.sql`select 1`, limits)],
  ["session", (db, limits) => db.session((session) => session.sql`select 1`, limits)],
  ["script", (db, limits) => db.script("select 1", limits)],
];

/** Ends each way with the same failure, all at once, and then asks with the password that is right. */
async function failsOnEveryWay(
  { open, mark }: Bench,
  given: () => unknown,
  { title: kind = "", options, expected, begin }: Failing,
): Promise<void> {
  await Promise.all(
    ways.map(async ([title, call]) => {
      let password: () => unknown = given;
      const db = open({
        password: (() => password()) as PasswordSource,
        name: `${mark} password of a ${title} ${kind}`,
        max: 1,
        ...options,
      });
      const work = (limits: { readonly signal?: AbortSignal }) => call(db, limits);
      const error = await failureOf(() => (begin ? begin(work) : work({})), { fate: "not-sent", ...expected });
      expect(error.message, `${title} ${kind}`).not.toContain("canary");
      password = rightPassword;
      expect(await db.query("select 1 as n", [], { deadlineMs: 20_000 }), `${title} ${kind}`).toMatchObject({ rows: [{ n: 1 }] });
      await db.close();
    }),
  );
}

interface Failing {
  /** What the function does. */
  readonly title?: string;
  readonly options?: DatabaseOptions;
  readonly expected: ExpectedError;
  /** Makes the call with limits of its own. */
  readonly begin?: (call: (limits: { readonly signal?: AbortSignal }) => Promise<unknown>) => Promise<unknown>;
}

/** What a function may give, or do, instead of a password. */
const unfit: readonly (readonly [title: string, password: () => unknown])[] = [
  ["throws", () => fail()],
  ["rejects", async () => fail()],
  ["gives a number", () => 5],
  ["gives nothing", () => undefined],
  ["gives an empty text", () => ""],
  ["gives half a surrogate pair", async () => "canary\uD83D"],
  ["gives NUL", () => "canary\0"],
  ["gives a text of 1 MB", () => "canary".repeat(174_763)],
  ["gives an object", () => ({ toString: () => "canary" })],
];

function fail(): never {
  throw new Error("canary");
}

const cases: readonly Case[] = [
  {
    title: "says PASSWORD_FAILED of a function that throws, or gives what no password can be, on every way, and serves the next call",
    async run(bench) {
      const expected = { name: "ConnectionError", code: "PASSWORD_FAILED", retryable: true } as const;
      // at once: each is asked again, after a pause
      await Promise.all(unfit.map(([title, password]) => failsOnEveryWay(bench, password, { title, expected })));
    },
  },
  {
    title: "ends at its deadline a call whose password function never answers",
    run: (bench) =>
      failsOnEveryWay(bench, never, {
        options: { deadlineMs: 150, connectTimeoutMs: 400 },
        expected: { name: "CancelledError", code: "DEADLINE_EXCEEDED" },
      }),
  },
  {
    title: "ends when its signal is aborted a call whose password function never answers",
    run: (bench) =>
      failsOnEveryWay(bench, never, {
        options: { connectTimeoutMs: 400 },
        expected: { name: "CancelledError", code: "ABORTED" },
        begin: (call) => call({ signal: AbortSignal.timeout(100) }),
      }),
  },
  {
    title: "ends each attempt at its time-out while a password function never answers",
    async run({ open, mark }) {
      const db = open({ password: never, name: `${mark} attempts`, connectTimeoutMs: 60_000 });
      const limits = { attemptTimeoutMs: 40 };
      const expected = { name: "CancelledError", code: "ATTEMPT_TIMEOUT", fate: "not-sent" } as const;
      await failureOf(() => db.query("select 1", [], limits), expected);
      await failureOf(() => db.batch([sql`select 1`], limits), expected);
      await db.close();
    },
  },
  {
    title: "gives a password function as long as connecting may take, where no deadline bounds it, and closes meanwhile",
    run: (bench) =>
      failsOnEveryWay(bench, never, {
        options: { deadlineMs: 0, connectTimeoutMs: 250 },
        expected: { name: "ConnectionError", code: "PASSWORD_FAILED", retryable: true },
      }),
  },
  {
    title: "closes while a password function never answers",
    async run({ open, mark }) {
      const db = open({ password: never, name: `${mark} closing`, max: 1, deadlineMs: 0, connectTimeoutMs: 50 });
      const failures = ways.map(([, call]) => failureOf(() => call(db, {}), { code: expect.any(String) as string, fate: "not-sent" }));
      await db.close();
      await Promise.all(failures);
    },
  },
];

/** Password functions that fail, and that never answer. */
export const passwords: Subject = { title: "password functions", cases };
