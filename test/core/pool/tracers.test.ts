import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { failureOf, openDirect, openPool, until } from "../databases.ts";
import { pause } from "./passing-time.ts";

// What tracers may do to pg's client; the tracers themselves are in `npm run test:tracers`.

let direct: Awaited<ReturnType<typeof openDirect>>;
let db: Database | undefined;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table traced (id int)");
});
afterAll(async () => {
  await direct.query("drop table traced");
  await direct.end();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await db?.close();
});

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/** Patches `client.query`, as a tracer does. */
function patch(wrap: (query: Query) => Query): void {
  const original = pg.Client.prototype.query as Query;
  vi.spyOn(pg.Client.prototype, "query").mockImplementation(wrap(original) as never);
}

interface Submitted {
  callback: (error: Error) => void;
  readonly text: string;
}

test("a statement that a tracer refuses is not sent, and the next one works", async () => {
  let refusing = true;
  // as Datadog's protection against injection does it
  patch(
    (query) =>
      function (...args) {
        const [submitted, callback] = args as [Submitted, Submitted["callback"]];
        if (!refusing || !submitted.text?.startsWith("insert")) return query.apply(this, args);
        submitted.callback = callback;
        submitted.callback(new Error("blocked: hunter2"));
      },
  );
  db = openPool({ max: 1 });
  const error = await failureOf(db.query(sql`insert into traced values (1)`));
  expect(error).toMatchObject({ name: "UsageError", code: "BLOCKED", fate: "not-sent" });
  expect(inspect(error)).not.toContain("hunter2");
  expect(db.stats()).toMatchObject({ connects: 1, discarded: 0, retries: 0 });
  refusing = false;
  expect((await db.query("select count(*)::int as n from traced")).rows).toEqual([{ n: 0 }]);
});

test("an answer after a pause is the statement's own where a tracer puts one of its own before each", async () => {
  patch(
    (query) =>
      function (...args) {
        (query.call(this, "set application_name = 'tracer'") as Promise<unknown>).catch(() => {});
        return query.apply(this, args);
      } as Query,
  );
  db = openPool({ max: 1 });
  const read = { idempotent: true };
  await db.query("select 1");
  pause();
  expect((await db.query("select 2 as two", [], read)).rows).toEqual([{ two: 2 }]);
  pause();
  expect(await db.transaction(async (tx) => (await tx.query("select 3 as three")).rows)).toEqual([{ three: 3 }]);
  pause();
  expect((await db.batch([sql`select 4 as four`], { readOnly: true }))[0].rows).toEqual([{ four: 4 }]);
});

test("a tracer that throws where a name is refused keeps nobody from being sent once more", async () => {
  let throwing = false;
  patch(
    (query) =>
      function (...args) {
        const told = args.at(-1);
        if (typeof told !== "function") return query.apply(this, args);
        const around = (...given: unknown[]) => {
          told(...given);
          if (throwing) {
            throwing = false;
            throw new Error("a tracer's own");
          }
        };
        return query.apply(this, [...args.slice(0, -1), around]);
      },
  );
  db = openPool({ max: 1 });
  for (let n = 0; n < 4; n++) await db.query("select $1::int as n", [n]);
  await db.script("deallocate all");
  const thrown: unknown[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error));
  try {
    throwing = true;
    expect((await db.query("select $1::int as n", [5])).rows).toEqual([{ n: 5 }]);
    await until(() => thrown.length > 0);
    expect(thrown).toMatchObject([{ message: "a tracer's own" }]);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const other of others) process.on("uncaughtException", other);
  }
});

test("what waits for its turn on a connection is submitted in its own async context", async () => {
  const requests = new AsyncLocalStorage<string>();
  const seen: (readonly [string, string | undefined])[] = [];
  patch(
    (query) =>
      function (...args) {
        seen.push([(args[0] as Submitted).text, requests.getStore()]);
        return query.apply(this, args);
      },
  );
  db = openPool({ max: 1 });
  await db.session((session) => Promise.all(["a", "b", "c"].map((name) => requests.run(name, () => session.query(`select '${name}'`)))));
  // behind them the reset is submitted, for nobody
  expect(seen.slice(0, -1)).toEqual(["a", "b", "c"].map((name) => [`select '${name}'`, name]));
});

test.each([
  ["before it has passed a statement on", { code: "BLOCKED", fate: "not-sent" }, 0],
  ["behind what it has passed on", "done", 1],
] as const)("a tracer that throws %s leaves no raw error to the caller", async (_, told, done) => {
  await direct.query("truncate traced");
  db = openPool({ max: 1 });
  await db.query("select 1");
  const thrown = new Error("a tracer's own");
  const uncaught: unknown[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  try {
    patch(
      (query) =>
        function (...args) {
          const isIts = (args[0] as Submitted).text?.startsWith("insert");
          const answer = isIts && done === 0 ? undefined : query.apply(this, args);
          if (isIts) throw thrown;
          return answer;
        },
    );
    const answer = await db.query("insert into traced values (1)").then(
      () => "done",
      (error) => error,
    );
    if (typeof told === "string") expect(answer).toBe(told);
    else expect(answer).toMatchObject({ name: "UsageError", ...told });
    expect(uncaught).toEqual(done === 0 ? [] : [thrown]);
    expect((await db.query("select count(*)::int as n from traced")).rows).toEqual([{ n: done }]);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
});
