import { expect } from "vitest";
import type { DatabaseView } from "../../../src/database/database-view.ts";
import type { LocalSettings } from "../../../src/database/local-settings.ts";
import { sql } from "../../../src/database/sql.ts";
import type { DatabaseError } from "../../../src/errors/database-error.ts";
import { LOOK } from "../../support/session-traces.ts";
import { type Bench, type Case, failureOf, onlyValue, type Subject } from "../case.ts";

/** Who a statement runs as, and what it was put under. */
const who = sql<{ who: string; tenant: string | null; zone: string }>`
  select current_user::text as who, nullif(current_setting('app.tenant', true), '') as tenant, current_setting('TimeZone') as zone`;

/** A role for the suite's own use, and what the login sees. */
async function roleOf({ db, mark }: Bench): Promise<{ readonly role: string; readonly login: string; readonly zone: string }> {
  const role = `${mark}_tenant`;
  await db.script(`do $$ begin create role ${role}; exception when duplicate_object then null; end $$;
    grant usage on schema ${mark} to ${role}; grant select, insert on ${mark}.ledger to ${role}`);
  const [row] = await db.sql<{ login: string; zone: string }>`select current_user::text as login, current_setting('TimeZone') as zone`;
  return { role, login: row?.login ?? "", zone: row?.zone ?? "" };
}

/** What a view is asked in, one statement each. */
const ways: Readonly<Record<string, (view: DatabaseView, text: string) => Promise<unknown>>> = {
  query: (view, text) => view.query(text),
  "readOnly query": (view, text) => view.query(text, [], { readOnly: true }),
  batch: (view, text) => view.batch([sql`${sql.raw(text)}`]),
  transaction: (view, text) => view.transaction((tx) => tx.query(text)),
  "batch of a transaction": (view, text) => view.transaction((tx) => tx.batch([sql`select 1`, sql`${sql.raw(text)}`])),
  stream: async (view, text) => readAll(view.stream(text)),
  "stream of a transaction": (view, text) => view.transaction((tx) => readAll(tx.stream(text))),
};

async function readAll<R>(rows: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

const controlling: readonly string[] = [
  ...["reset role", "reset all", "set role none", "set session authorization default", "set app.tenant = 'b'", "discard all"],
  ...["set local role none", "set local app.tenant = 'b'", "set local search_path = public", "do $$ begin reset role; end $$"],
  ...["select set_config('role', 'none', true)", "select pg_catalog.set_config($1, $2, true)", 'select U&"set_config"(1)'],
  ...["update pg_settings set setting = 'x' where name = 'search_path'"],
];

const unsettable: readonly (readonly [what: string, given: unknown, code: string])[] = [
  ["nothing", undefined, "INVALID_OPTION"],
  ["null", null, "INVALID_OPTION"],
  ["a text", "app.tenant", "INVALID_OPTION"],
  ["no setting and no role", {}, "INVALID_OPTION"],
  ["settings without one", { settings: {} }, "INVALID_OPTION"],
  ["another key", { setting: { "app.tenant": "a" } }, "INVALID_OPTION"],
  ["a Map of settings", { settings: new Map([["app.tenant", "a"]]) }, "INVALID_OPTION"],
  ["an array of settings", { settings: ["app.tenant"] }, "INVALID_OPTION"],
  ["settings that are undefined", { settings: undefined, role: "a" }, "INVALID_OPTION"],
  ...[
    ...[
      "",
      "role",
      "session_authorization",
      "row_security",
      "transaction_read_only",
      "work_mem",
      "app",
      "a.b'",
      'a."b"',
      "a.b, c",
      "a.\0b",
    ],
    ...["a.ü", `a.${"b".repeat(62)}`],
  ].map((name) => [`the setting ${JSON.stringify(name)}`, { settings: { [name]: "x" } }, "INVALID_OPTION"] as const),
  ["a setting of null", { settings: { "app.tenant": null } }, "UNSUPPORTED_VALUE"],
  ["a setting of undefined", { settings: { "app.tenant": undefined } }, "UNDEFINED_VALUE"],
  ["a setting of NaN", { settings: { "app.tenant": Number.NaN } }, "UNSUPPORTED_VALUE"],
  ["a setting of an array", { settings: { "app.tenant": ["a"] } }, "UNSUPPORTED_VALUE"],
  ["a setting of a date", { settings: { "app.tenant": new Date(0) } }, "UNSUPPORTED_VALUE"],
  ["a setting of a Map", { settings: { "app.tenant": new Map() } }, "UNSUPPORTED_VALUE"],
  ["a setting of a function", { settings: { "app.tenant": () => "a" } }, "UNSUPPORTED_VALUE"],
  ["a setting of a promise", { settings: { "app.tenant": Promise.resolve("a") } }, "PROMISE_VALUE"],
  ["a setting of a piece of SQL", { settings: { "app.tenant": sql`a` } }, "UNSUPPORTED_VALUE"],
  ["a setting with U+0000", { settings: { "app.tenant": "a\0b" } }, "NUL_CHARACTER"],
  ["a setting with half a surrogate pair", { settings: { "app.tenant": "\ud800" } }, "LONE_SURROGATE"],
  ["a getter that throws", Object.defineProperty({}, "settings", { enumerable: true, get: () => JSON.parse("{") }), "UNSUPPORTED_VALUE"],
  ...["", "none", "NONE", "r".repeat(64), "ü".repeat(32)].map(
    (role) => [`the role ${JSON.stringify(role)}`, { role }, "INVALID_OPTION"] as const,
  ),
  ["a role of null", { role: null }, "INVALID_OPTION"],
  ["a role that is undefined", { settings: { "app.tenant": "a" }, role: undefined }, "INVALID_OPTION"],
  ["a role with U+0000", { role: "a\0b" }, "NUL_CHARACTER"],
];

/** What a session shows. That a transaction was READ ONLY stays as a mark of its backend's, with the value it had before. */
async function look({ db }: Bench) {
  const { settings: _, ...seen } = (await db.query(LOOK)).rows[0] ?? {};
  return { ...seen, tenant: (await db.sql`${who}`)[0]?.tenant };
}

/** That nothing of a view stays, whoever has the connection next. */
async function expectNothingLeft(bench: Bench, before: Awaited<ReturnType<typeof look>>): Promise<void> {
  expect(before.tenant).toBeNull();
  expect(await look(bench)).toEqual(before);
}

const cases: readonly Case[] = [
  {
    title: "puts a query under settings and a role, and gives its result alone",
    async run(bench) {
      const { db } = bench;
      const { role, login, zone } = await roleOf(bench);
      const before = await look(bench);
      const view = db.with({ settings: { "app.tenant": "a", TimeZone: "Asia/Kathmandu" }, role });
      const result = await view.query(who);
      const { rows, rowCount, command, via } = result;
      expect({ rows, rowCount, command }).toEqual({
        rows: [{ who: role, tenant: "a", zone: "Asia/Kathmandu" }],
        rowCount: 1,
        command: "SELECT",
      });
      expect(via).toMatchObject({ transport: bench.transport, attempts: 1 });
      expect(await view.sql`${who}`).toEqual(rows);
      expect((await view.query(who, { rowMode: "array" })).rows).toEqual([[role, "a", "Asia/Kathmandu"]]);
      expect(await db.sql`${who}`).toEqual([{ who: login, tenant: null, zone }]);
      await expectNothingLeft(bench, before);
    },
  },
  {
    title: "puts a batch under them, and gives a result for each of its statements",
    async run(bench) {
      const { role } = await roleOf(bench);
      const view = bench.db.with({ settings: { "app.tenant": "a" }, role });
      const [first, second] = await view.batch([who, sql<{ n: number }>`select ${1}::int as n`], { isolation: "serializable" });
      expect(first.rows[0]).toMatchObject({ who: role, tenant: "a" });
      expect(second.rows).toEqual([{ n: 1 }]);
      expect(await view.batch([])).toEqual([]);
    },
  },
  {
    title: "puts a transaction under them from its first statement to its COMMIT, savepoints and all",
    async run(bench) {
      const { role } = await roleOf(bench);
      const view = bench.db.with({ settings: { "app.tenant": "a" }, role });
      const own = { who: role, tenant: "a" };
      await view.transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          expect((await inner.sql`${who}`)[0]).toMatchObject(own);
        });
        await failureOf(() => tx.transaction((inner) => inner.sql`select 1/0`), { code: "22012" });
        expect((await tx.sql`${who}`)[0]).toMatchObject(own);
      });
      expect(await view.transaction(async () => "nothing sent")).toBe("nothing sent");
    },
  },
  {
    title: "puts a stream under them, to its last row and where it is left before",
    async run(bench) {
      const before = await look(bench);
      const { role } = await roleOf(bench);
      const view = bench.db.with({ settings: { "app.tenant": "a" }, role });
      const rows = sql<{ n: number; who: string; tenant: string }>`
        select n, current_user::text as who, current_setting('app.tenant') as tenant from generate_series(1, 5) n`;
      const expected = [1, 2, 3, 4, 5].map((n) => ({ n, who: role, tenant: "a" }));
      for (const options of [{ batchSize: 2 }, { readOnly: true, batchSize: 2 }]) {
        expect(await readAll(view.stream(rows, options))).toEqual(expected);
        for await (const row of view.stream(rows, options)) {
          expect(row).toEqual(expected[0]);
          break;
        }
        await expectNothingLeft(bench, before);
      }
      expect(await view.transaction((tx) => readAll(tx.stream(rows, { batchSize: 2 })))).toEqual(expected);
      await failureOf(() => readAll(view.stream("insert into ledger values (8004)", [], { readOnly: true })), { code: "25006" });
      await expectNothingLeft(bench, before);
    },
  },
  {
    title: "merges what is within: the inner one wins, in whichever case a name is written",
    async run(bench) {
      const { role, login } = await roleOf(bench);
      const outer = bench.db.with({ settings: { "app.tenant": "a", "app.other": 1, "App.Tenant": "b" }, role });
      const inner = outer.with({ settings: { "APP.TENANT": "c" } });
      const own = sql`select current_user::text as who, current_setting('app.tenant') as tenant, current_setting('app.other') as other`;
      expect(await inner.sql`${own}`).toEqual([{ who: role, tenant: "c", other: "1" }]);
      expect(await outer.sql`${own}`).toEqual([{ who: role, tenant: "b", other: "1" }]);
      expect(await inner.with({ role: login }).sql`${own}`).toEqual([{ who: login, tenant: "c", other: "1" }]);
      expect(await inner.with({}).sql`${own}`).toEqual([{ who: role, tenant: "c", other: "1" }]);
    },
  },
  {
    title: "writes numbers, bigints, booleans and objects as text",
    async run({ db }) {
      const claims = { sub: "ü'\"\\", role: "authenticated", app_metadata: { tenants: [1, 2] }, none: undefined };
      const settings = { "app.a": -1.5, "app.b": 12345678901234567890n, "app.c": false, "app.d": "", "request.jwt.claims": claims };
      const names = ["app.a", "app.b", "app.c", "app.d"].map((name) => sql`current_setting(${name})`);
      const [row] = await db.with({ settings }).sql`
        select array[${sql.join(names)}] as texts, current_setting('request.jwt.claims')::jsonb as claims`;
      expect(row).toEqual({ texts: ["-1.5", "12345678901234567890", "false", ""], claims: JSON.parse(JSON.stringify(claims)) });
    },
  },
  ...Object.entries(ways).map(
    ([name, ask]): Case => ({
      title: `undoes a ${name} that fails, and leaves nothing behind`,
      async run(bench) {
        const { db } = bench;
        const { role } = await roleOf(bench);
        const before = await look(bench);
        const view = db.with({ settings: { "app.tenant": "a" }, role });
        await failureOf(() => ask(view, "select 1/0"), { name: "DatabaseError", code: "22012", fate: "refused" });
        await failureOf(() => ask(view, "select * from person"), { name: "DatabaseError", code: "42501", fate: "refused" });
        await expectNothingLeft(bench, before);
      },
    }),
  ),
  ...Object.entries(ways).map(
    ([name, ask]): Case => ({
      title: `refuses a ${name} whose role or setting the server does not take`,
      async run(bench) {
        const { db } = bench;
        const before = await look(bench);
        const nobody: readonly LocalSettings[] = [{ role: "nobody_of_this_name" }, { settings: { TimeZone: "Nowhere/At All" } }];
        for (const given of nobody) {
          const work = () => ask(db.with(given), "insert into ledger values (8001)");
          const error = await failureOf(work, { name: "DatabaseError", code: "22023", fate: "refused", retryable: false });
          expect(`${error.message} ${error.stack}`).not.toMatch(/nobody_of|Nowhere/);
        }
        await expectNothingLeft(bench, before);
        expect(await db.sql`select entry from ledger where entry = 8001`).toEqual([]);
      },
    }),
  ),
  {
    title: "tells nothing of what it was put under in an error",
    async run({ db }) {
      const view = db.with({ settings: { "app.tenant": "canary", "request.jwt.claims": { sub: "canary" } } });
      for (const ask of Object.values(ways)) {
        const error = await failureOf(() => ask(view, "select current_setting('app.tenant')::int"), { code: "22P02", fate: "refused" });
        expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain("canary");
      }
    },
  },
  {
    title: "repeats what conflicts with others",
    async run({ db }) {
      const view = db.with({ settings: { "app.tenant": "a" } });
      let retries = 0;
      const stop = db.subscribe(({ type }) => {
        if (type === "retry") retries++;
      });
      await failureOf(() => view.query("select fail_with('40001')"), { code: "40001", fate: "refused", retryable: true });
      stop();
      expect(retries).toBeGreaterThan(0);
    },
  },
  {
    title: "tells which statement of a batch failed, by the caller's own count",
    async run({ db, transport }) {
      const view = db.with({ settings: { "app.tenant": "a" } });
      const error = await failureOf(() => view.batch([sql`select 1`, sql`select 1/0`]), { code: "22012", fate: "refused" });
      expect((error as DatabaseError).statementIndex).toBe(transport === "http" ? undefined : 1);
    },
  },
  {
    title: "keeps what is readOnly from writing, and from switching that off",
    async run({ db }) {
      const view = db.with({ settings: { "app.tenant": "a" } });
      const write = sql`insert into ledger values (8002)`;
      const readOnly = { readOnly: true } as const;
      await failureOf(() => view.query(write, readOnly), { code: "25006", fate: "refused" });
      for (const text of ["set transaction read write", "set transaction_read_only = off", "set local transaction_read_only = off"]) {
        await failureOf(() => view.batch([sql`${sql.raw(text)}`, write], readOnly), { code: "25001", fate: "refused" });
        const begun = () => view.transaction((tx) => tx.query(text).then(() => tx.query(write)), readOnly);
        await failureOf(begun, { code: "25001", fate: "refused" });
      }
      expect(await db.sql`select entry from ledger where entry = 8002`).toEqual([]);
      expect((await view.query(who, readOnly)).rows[0]?.tenant).toBe("a");
      await view.batch([write], { readOnly: false, isolation: "repeatable read" });
      expect(await db.sql`select entry from ledger where entry = 8002`).toEqual([{ entry: 8002 }]);
    },
  },
  {
    title: "holds a statement to the time-out it is put under",
    async run(bench) {
      const before = await look(bench);
      const view = bench.db.with({ settings: { statement_timeout: 50 } });
      for (const ask of Object.values(ways)) {
        await failureOf(() => ask(view, "select pg_sleep(600)"), { name: "DatabaseError", code: "57014", fate: "refused" });
      }
      await expectNothingLeft(bench, before);
    },
  },
  {
    title: "leaves nothing behind of calls that are given up",
    async run(bench) {
      const before = await look(bench);
      const view = bench.db.with({ settings: { "app.tenant": "a" } });
      for (const ask of [
        () => view.query("select pg_sleep(0.5)", [], { deadlineMs: 20 }),
        () => view.batch([sql`select pg_sleep(0.5)`], { signal: AbortSignal.timeout(20) }),
        () => view.transaction((tx) => tx.sql`select pg_sleep(0.5)`, { deadlineMs: 20 }),
      ]) {
        await ask().then(
          () => Promise.reject(new Error("It was not given up.")),
          (error) => expect(error).toMatchObject({ name: "CancelledError" }),
        );
        await expectNothingLeft(bench, before);
      }
    },
  },
  ...controlling.map(
    (text): Case => ({
      title: `refuses ${JSON.stringify(text)} inside, and sends nothing`,
      async run({ db }) {
        const view = db.with({ settings: { "app.tenant": "a" } });
        const expected = { name: "UsageError", code: "SETTING_CONTROL", fate: "not-sent" } as const;
        for (const ask of Object.values(ways)) {
          const { message } = await failureOf(() => ask(view, text), expected);
          expect(message).toContain("db.with()");
        }
        const begun = async () =>
          view.transaction(async (tx) => {
            await tx.sql`insert into ledger values (8003)`;
            await tx.transaction((inner) => inner.query(text));
          });
        await failureOf(begun, { ...expected, fate: "refused" });
        expect(await db.sql`select entry from ledger where entry = 8003`).toEqual([]);
      },
    }),
  ),
  {
    title: "refuses inside what it refuses outside",
    async run({ db }) {
      const view = db.with({ settings: { "app.tenant": "a" } });
      await failureOf(() => view.query("commit"), { code: "TRANSACTION_CONTROL", fate: "not-sent" });
      await failureOf(() => view.batch([sql.raw("rollback")]), { code: "TRANSACTION_CONTROL", fate: "not-sent" });
      await failureOf(() => view.query("select pg_advisory_lock(7001)"), { code: "SESSION_STATE", fate: "not-sent" });
      await failureOf(() => view.query("listen a"), { code: "NOT_DELIVERED", fate: "not-sent" });
      await failureOf(() => view.query("select 1", [], { settings: {} } as never), { code: "INVALID_OPTION", fate: "not-sent" });
      await view.query("set local work_mem = '1MB'");
    },
  },
  ...unsettable.map(
    ([what, given, code]): Case => ({
      title: `refuses ${what} before anything is sent, and tells no value`,
      async run({ db }) {
        const view = db.with({ role: "a" });
        for (const from of [db, view]) {
          // a view may be given nothing more
          if (from === view && (what === "no setting and no role" || what === "settings without one")) continue;
          await failureOf(async () => from.with(given as LocalSettings), { name: "UsageError", code, fate: "not-sent" });
        }
      },
    }),
  ),
  {
    title: "refuses a view's calls inside a transaction of its database",
    async run({ db, knowsNesting }) {
      if (!knowsNesting) return;
      const view = db.with({ settings: { "app.tenant": "a" } });
      await db.transaction(async () => {
        await failureOf(() => view.query("select 1"), { code: "NESTED_QUERY", fate: "not-sent" });
      });
      await view.transaction(async () => {
        await failureOf(() => db.query("select 1"), { code: "NESTED_QUERY", fate: "not-sent" });
      });
    },
  },
  {
    title: "asks no parser of the caller's about what it sets",
    async run({ open, mark }) {
      const asked: string[] = [];
      const parse = (text: string) => {
        asked.push(text);
        if (text === "a canary") throw new Error("of the parser");
        return text;
      };
      const own = open({ types: { 25: parse }, name: `${mark} texts` }).with({ settings: { "app.tenant": "a canary" } });
      expect((await own.query("select 'b'::text as word")).rows).toEqual([{ word: "b" }]);
      await own.transaction((tx) => tx.sql`select 'c'::text as word`);
      expect(asked).toEqual(["b", "c"]);
      const { message } = await failureOf(() => own.query("select current_setting('app.tenant') as own"), { code: "DECODE_FAILED" });
      expect(message).toContain("own");
    },
  },
  {
    title: "keeps many at once apart, in and out of views",
    async run({ db }) {
      const seen = await Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          if (n % 3 === 0) return onlyValue(db.sql`select nullif(current_setting('app.tenant', true), '') as tenant`);
          const view = db.with({ settings: { "app.tenant": n } });
          const tenant = sql`select current_setting('app.tenant')::int as tenant`;
          return n % 3 === 1 ? onlyValue(view.sql`${tenant}`) : onlyValue(view.transaction((tx) => tx.sql`${tenant}`));
        }),
      );
      expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? null : n)));
    },
  },
];

/** What is set for one transaction, in the same round trip. */
export const localSettings: Subject = { title: "local settings", cases };
