import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { createDatabase, type Database, type DatabaseEvent, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { WarmPool } from "../../../src/entry/pool.ts";
import { isStatement } from "../../support/postgres-messages.ts";
import { startWire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";

const role = "core_canary";
const password = "Canary-of-the-Pass/word+1";
const value = "Canary_of_a_value";
const derived = [...value].reverse().join("");
const number = "8675309867530986753098675309";

let endpoint: Endpoint;
let printed: string[];

beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  await using direct = await openDirect();
  await direct.query(`
    create role ${role} login password '${password}';
    create table canaries (word text primary key, small int check (small < 10));
    grant all on canaries to ${role};
    create function canary_raise(word text) returns void language plpgsql as 'begin raise exception ''no % here'', word; end';
    create domain canary_domain as text check (length(value) < 3);
  `);
});
afterAll(async () => {
  await endpoint.stop();
  await using direct = await openDirect();
  await direct.query(`drop table canaries; drop function canary_raise; drop domain canary_domain; drop role ${role}`);
});
beforeEach(() => {
  printed = [];
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void printed.push(...args.map((arg) => inspect(arg, { depth: 20 }))));
  }
});
afterEach(() => void vi.restoreAllMocks());

const login = (): DatabaseOptions => ({ user: role, password });
const transports = {
  pool: (options: DatabaseOptions = {}) => openPool({ ...login(), ...options }),
  http: (options: DatabaseOptions = {}) => openPool({ ...login(), transport: "http", endpoint: endpoint.url, ...options }),
};

/** Everything that a log, a reporter or a person may see of something. */
function shown(thing: unknown): string {
  const own = thing instanceof Error ? [thing.message, thing.stack, String(thing), String(thing.cause)] : [String(thing)];
  return [...own, inspect(thing, { depth: 20, getters: false }), JSON.stringify(thing), ...printed].join("\n");
}

function expectNoCanary(thing: unknown): void {
  const text = shown(thing).toLowerCase();
  for (const canary of [password, encodeURIComponent(password), value, derived, number]) expect(text).not.toContain(canary.toLowerCase());
}

const circular: Record<string, unknown> = { value };
circular.self = circular;

/** Calls that fail, each in a way of its own, with the code they fail with. */
const failing: readonly (readonly [string, string, (db: Database) => Promise<unknown>])[] = [
  ["a value of the wrong type", "22P02", (db) => db.sql`select ${value}::int`],
  ["a number out of range", "22003", (db) => db.sql`select ${number}::int`],
  ["a value made from a value", "22P02", (db) => db.sql`select reverse(${value})::int`],
  ["a date out of range", "22007", (db) => db.sql`select ${value}::date`],
  ["broken JSON", "22P02", (db) => db.sql`select ${`{"${value}`}::jsonb`],
  [
    "a duplicate key",
    "23505",
    (db) => db.batch([sql`insert into canaries values (${value}, 1)`, sql`insert into canaries values (${value}, 1)`]),
  ],
  ["a row that a check refuses", "23514", (db) => db.sql`insert into canaries values (${value}, ${99})`],
  ["a value that a domain refuses", "23514", (db) => db.sql`select ${value}::text::canary_domain`],
  ["a function that quotes its argument", "P0001", (db) => db.sql`select canary_raise(${value})`],
  [
    "a function that quotes an item of an array",
    "P0001",
    (db) => db.sql`select canary_raise(word) from unnest(${[value, "b"]}::text[]) as word`,
  ],
  ["a function that quotes a piece of JSON", "P0001", (db) => db.sql`select canary_raise(${{ word: value }}::jsonb ->> 'word')`],
  ["a function that shouts its argument", "P0001", (db) => db.sql`select canary_raise(upper(${value}))`],
  ["the name of a table", "42P01", (db) => db.sql`select ${value}::regclass`],
  ["the quoted name of a table", "42P01", (db) => db.sql`select ${`"${value}"`}::regclass`],
  ["a syntax error", "42601", (db) => db.sql`selec ${value}`],
  ["a deadline", "DEADLINE_EXCEEDED", (db) => db.query(sql`select pg_sleep(30), ${value}::text`, { deadlineMs: 100 })],
  ["a signal", "ABORTED", (db) => db.query(sql`select ${value}::text`, { signal: AbortSignal.abort(new Error("its caller's own words")) })],
  ["a circular value", "CIRCULAR_VALUE", (db) => db.sql`select ${circular}::jsonb`],
  ["half a character", "LONE_SURROGATE", (db) => db.sql`select ${`${value}\ud800`}::text`],
  ["a character that text cannot hold", "NUL_CHARACTER", (db) => db.sql`select ${`${value}\0`}::text`],
  ["a promise", "PROMISE_VALUE", (db) => db.sql`select ${Promise.resolve(value)}::text`],
  ["a symbol", "UNSUPPORTED_VALUE", (db) => db.sql`select ${Symbol(value)}::text`],
  ["a missing value", "UNDEFINED_VALUE", (db) => db.query("select $1::text, $2::text", [value, undefined])],
  ["too few values", "08P01", (db) => db.query("select $1::text, $2::text", [value])],
  ["a query around its transaction", "NESTED_QUERY", (db) => db.transaction(() => db.sql`select ${value}::text`)],
  [
    "a failed transaction",
    "TRANSACTION_FAILED",
    (db) => db.transaction(async (tx) => void (await tx.sql`select ${value}::int`.catch(() => {}))),
  ],
];

describe.each(Object.entries(transports))("over %s", (_, open) => {
  test.each(failing)("%s fails without a word about secrets and values (%s)", async (_title, code, send) => {
    await using db = open();
    const told: DatabaseEvent[] = [];
    db.subscribe((event) => void told.push(event));
    await db.query("select 1");
    const error = await failureOf(send(db));
    expect(error.code).toBe(code);
    expectNoCanary(error);
    expect(told.map(({ type }) => type)).toContain("query");
    expectNoCanary(told);
  });

  test("a refused password is not told", async () => {
    await using db = open({ user: inject("postgres").user });
    const error = await failureOf(db.query("select 1"));
    expect(["28P01", "HTTP_STATUS"]).toContain(error.code);
    expectNoCanary(error);
    expectNoCanary(await failureOf(db.transaction((tx) => tx.sql`select 1`)));
  });

  test("a type parser that quotes what it reads is not quoted", async () => {
    await using db = open({
      types: {
        25: (text) => {
          throw new Error(`cannot read ${text}`);
        },
      },
    });
    const error = await failureOf(db.sql`select ${value}::text`);
    expect(error).toMatchObject({ name: "DecodeError", code: "DECODE_FAILED", fate: "applied" });
    expectNoCanary(error);
  });

  test.each([
    ["in several lines that look like a stack", (text: string) => new Error(`cannot\n    at ${text} (file.js:1:1)\n    at ${text}`)],
    ["in its name", (text: string) => Object.assign(new Error("no"), { name: `Error of ${text}` })],
    ["by itself", (text: string) => text],
    ["in its cause", (text: string) => new Error("no", { cause: text })],
  ])("a type parser that throws what it reads %s is not quoted", async (_how, make) => {
    await using db = open({
      types: {
        25: (text) => {
          throw make(text);
        },
      },
    });
    const error = await failureOf(db.sql`select ${value}::text`);
    expect(error).toMatchObject({ code: "DECODE_FAILED", cause: { name: "Error" } });
    expectNoCanary(error);
    expectNoCanary(error.cause);
    const undone = await failureOf(db.transaction((tx) => tx.sql`select ${value}::text`));
    expect(undone).toMatchObject({ code: "DECODE_FAILED", fate: "refused" });
    expectNoCanary(undone);
  });

  test("a password function that quotes it is not quoted", async () => {
    await using db = open({
      password: () => {
        throw new Error(`vault: ${password}`);
      },
    });
    expectNoCanary(await failureOf(db.query("select 1")));
  });

  test("what can be printed of a database that works shows nothing", async () => {
    await using db = open();
    await db.sql`select ${value}::text`;
    const running = db.sql`select pg_sleep(0.05), ${value}::text`;
    for (const thing of [db, db.plan, db.stats(), sql`select ${value}::text`, sql`${sql.json({ value })}`]) expectNoCanary(thing);
    await running;
  });
});

test("the fields in which the server quotes values can be read by name, and are shown by nothing", async () => {
  await using db = transports.pool();
  const error = await failureOf(db.sql`insert into canaries values (${value}, ${99})`);
  expect(error).toHaveProperty("detail", expect.stringContaining(value));
  expect(Object.keys(error)).not.toContain("detail");
  expectNoCanary(error);
  expectNoCanary({ ...error });
});

test("ways that fail do not tell the password", async () => {
  await using wire = await startWire(inject("postgres"));
  const failures: readonly [string, DatabaseOptions, () => void][] = [
    ["CONNECT_FAILED", { port: 1 }, () => {}],
    ["CONNECT_TIMEOUT", { connectTimeoutMs: 50 }, () => wire.hold()],
    ["TLS_FAILED", { sslMode: "require" }, () => {}],
    ["3D000", { database: "no_such_database" }, () => {}],
  ];
  const at = new URL(urlAt(wire));
  for (const [code, options, arrange] of failures) {
    arrange();
    const db = createDatabase({
      host: "127.0.0.1",
      port: wire.port,
      database: at.pathname.slice(1),
      name: code,
      ...login(),
      deadlineMs: 20_000,
      transport: "pool",
      ...options,
    });
    const error = await failureOf(db.query("select 1"));
    expect(error.code).toBe(code);
    expectNoCanary(error);
    wire.resume();
    await db.close();
  }
});

test("a connection that is lost tells neither the password nor values", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), ...login() });
  void wire.cutAt(isStatement("select"));
  const error = await failureOf(db.sql`select ${value}::text`);
  expect(error.code).toBe("CONNECTION_LOST");
  expectNoCanary(error);
});

test("a URL that cannot be read is not quoted", async () => {
  const broken = [
    `postgres://app:${password}@db:5432/app`,
    `postgres://app:${encodeURIComponent(password)}@db:99999/app`,
    `postgres://app:${encodeURIComponent(password)}@/app`,
    `mysql://app:${encodeURIComponent(password)}@db/app`,
    `postgres://app:${encodeURIComponent(password)}@db/app?sslmode=${value}`,
  ];
  for (const url of broken) {
    const open = async () => void createDatabase({ url, sslMode: "require" }).plan;
    const error = await failureOf(open());
    expectNoCanary(error);
  }
});

test("warnings about the configuration do not tell it", async () => {
  await using db = createDatabase({
    host: "db.invalid",
    database: "app",
    ...login(),
    sslMode: "disable",
    max: 500,
    transport: "pool",
    deadlineMs: 5_000,
  });
  expectNoCanary(await failureOf(db.query("select 1")));
  expect(printed.join()).toContain("not encrypted");
  expectNoCanary(db.plan);
});

test("a WarmPool can be printed while it works", async () => {
  const { host, port, database } = inject("postgres");
  const pool = new WarmPool({ host, port, database, ...login(), max: 2 });
  const running = pool.query("select pg_sleep(0.1)");
  await until(() => pool.totalCount === 1);
  const client = await pool.connect();
  for (const thing of [pool, pool.options, client]) expect(inspect(thing, { depth: 20 }).includes(password)).toBe(false);
  expect(JSON.stringify(pool.options)).not.toContain(password);
  client.release();
  await running;
  await pool.end();
});
