import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import { failureOf, openDirect } from "../core/databases.ts";
import { type FakeDsql, type FakeDsqlOptions, startFakeDsql } from "../support/dsql/fake-dsql.ts";

const region = "eu-central-1";
const keys = { accessKeyId: "AKIDDSQL", secretAccessKey: "dsql/secret", sessionToken: "session+/==token" };
const MINUTE_MS = 60_000;

beforeAll(async () => {
  await using direct = await openDirect();
  await direct.query("create table dsql_accounts (id int primary key, balance int not null)");
});
afterAll(async () => {
  await using direct = await openDirect();
  await direct.query("drop table dsql_accounts");
});
beforeEach(() => {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  for (const [name, value] of Object.entries({
    AWS_PROFILE: undefined,
    AWS_REGION: undefined,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  }))
    vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

function startFake(options: Partial<FakeDsqlOptions> = {}): Promise<FakeDsql> {
  const { user, password, host, port, database } = inject("postgres");
  const own = { user, password };
  return startFakeDsql({ server: { host, port, database }, users: { admin: own, app: own }, region, credentials: [keys], ...options });
}

function open({ host, port, ca }: FakeDsql, options: DatabaseOptions = {}): Database {
  const place = { host, port, ca, user: "app", database: "postgres", region, target: "dsql" } as const;
  return createDatabase({ ...place, name: randomUUID(), deadlineMs: 20_000, ...options });
}

describe("a login", () => {
  test.each([
    ["admin", "DbConnectAdmin"],
    ["app", "DbConnect"],
  ])("of %s is made with a token for %s, over verified TLS", async (user, action) => {
    await using fake = await startFake();
    await using db = open(fake, { user });
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
    expect(new URLSearchParams(fake.tokens[0]?.split("?")[1]).get("Action")).toBe(action);
    expect(fake).toMatchObject({ logins: 1, refusals: [], strange: [] });
  });

  test.each<[string, DatabaseOptions, string]>([
    ["in another region", { region: "us-east-1" }, "another region"],
    ["by the host's other name", { host: "127.0.0.1" }, "another host"],
    ["as somebody unknown", { user: "nobody" }, "unknown user"],
  ])("%s is refused, and told so after a second token", async (_, options, reason) => {
    await using fake = await startFake();
    await using db = open(fake, options);
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "28000", fate: "not-sent" });
    expect(fake.refusals).toEqual([reason, reason]);
  });

  test.each<[string, DatabaseOptions]>([
    ["sslMode", { sslMode: "no-verify", ca: undefined }],
    ["sslMode", { sslMode: "disable", ca: undefined, password: async () => "a token of the caller's" }],
    ["startupOptions", { startupOptions: "-c search_path=app" }],
    ["lifetimeMs", { lifetimeMs: 0 }],
    ["lifetimeMs", { lifetimeMs: 60 * MINUTE_MS }],
  ])("is not tried with a %s that the target does not take: %j", async (setting, options) => {
    await using fake = await startFake();
    const use = async () => {
      await using db = open(fake, options);
      await db.query("select 1");
    };
    expect(await failureOf(use())).toMatchObject({ name: "ConfigError", setting });
    expect(fake.tokens).toEqual([]);
  });

  test("without credentials says where they come from", async () => {
    await using fake = await startFake();
    vi.stubEnv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z");
    await using db = open(fake);
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "CREDENTIALS_EXPIRED", fate: "not-sent" });
  });

  test("that came too fast (53400) waits, and is made again", async () => {
    await using fake = await startFake();
    await using db = open(fake);
    fake.tooFast(2);
    expect((await db.query("select 1")).via.attempts).toBe(3);
    expect(db.stats().breaker).toBe("closed");
  });
});

describe("a connection", () => {
  test("is replaced before its hour, and no call notices", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await using fake = await startFake();
    await using db = open(fake, { max: 1 });
    for (let minutes = 0; minutes <= 130; minutes += 10) {
      expect((await db.query("select 1")).via.attempts).toBe(1);
      vi.setSystemTime(Date.now() + 10 * MINUTE_MS);
    }
    expect(fake).toMatchObject({ logins: 3, ended: 0 });
  });

  test("that the server ends early is replaced by the call that finds it", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await using fake = await startFake({ lifetimeMs: 5 * MINUTE_MS });
    await using db = open(fake, { max: 1 });
    for (let round = 0; round < 3; round++) {
      await db.query("select 1");
      vi.setSystemTime(Date.now() + 6 * MINUTE_MS);
    }
    expect(fake).toMatchObject({ logins: 3, ended: 2 });
  });
});

describe.each(["40001", "OC000", "OC001"] as const)("a conflict told as %s", (code) => {
  test("is repeated: a statement, a batch, and with retries a transaction", async () => {
    await using fake = await startFake();
    await using db = open(fake);
    await db.query("select 1");
    fake.conflict(code);
    expect((await db.query("update dsql_accounts set balance = 0 where false")).via.attempts).toBe(2);
    fake.conflict(code);
    expect((await db.batch([sql`select 1`, sql`select 2`]))[0]?.via.attempts).toBe(2);
    fake.conflict(code, code);
    let runs = 0;
    await db.transaction(
      async (tx) => {
        runs++;
        await tx.query("select 1");
      },
      { retries: 2 },
    );
    expect(runs).toBe(3);
    expect(fake.logins).toBe(1);
  });

  test("ends a transaction that nobody asked to repeat: refused, and told as one that passes", async () => {
    await using fake = await startFake();
    await using db = open(fake);
    fake.conflict(code);
    const failure = await failureOf(db.transaction((tx) => tx.query("select 1")));
    expect(failure).toMatchObject({ code, fate: "refused", retryable: true });
  });
});

test("twenty clients in conflict on ten rows keep the sum, and repeat no more than they were told", async () => {
  await using direct = await openDirect();
  await direct.query("truncate dsql_accounts");
  await direct.query("insert into dsql_accounts select id, 100 from generate_series(1, 10) id");
  await using fake = await startFake();
  await using db = open(fake, { max: 20, deadlineMs: 60_000 });
  const retries = 4;
  let [runs, failed] = [0, 0];
  const move = (client: number, round: number) =>
    db
      .transaction(
        async (tx) => {
          runs++;
          const from = ((client + round) % 10) + 1;
          const to = ((client * 3 + round + 1) % 10) + 1;
          await tx.query(sql`select balance from dsql_accounts where id in (${from}, ${to})`);
          await tx.query(sql`update dsql_accounts set balance = balance - 1 where id = ${from}`);
          await tx.query(sql`update dsql_accounts set balance = balance + 1 where id = ${to}`);
        },
        { retries },
      )
      .catch((error) => {
        failed++;
        expect(error).toMatchObject({ fate: "refused", retryable: true });
      });
  await Promise.all(
    Array.from({ length: 20 }, async (_, client) => {
      for (let round = 0; round < 3; round++) await move(client, round);
    }),
  );
  expect((await direct.query("select sum(balance)::int as sum from dsql_accounts")).rows).toEqual([{ sum: 1_000 }]);
  expect(db.stats().retries).toBe(runs - 60);
  expect(runs).toBeLessThanOrEqual(60 + retries * 60);
  expect(failed).toBeLessThan(60);
});

async function readAll(db: Database): Promise<void> {
  for await (const _ of db.stream("select pg_advisory_lock(1)")) expect.fail("A row came.");
}

describe("what Aurora DSQL has not is refused before it is sent:", () => {
  const calls: readonly [string, (db: Database) => Promise<unknown>][] = [
    ["a nested transaction", (db) => db.transaction((tx) => tx.transaction((inner) => inner.query("select 1")))],
    ["SAVEPOINT in a session", (db) => db.session((session) => session.query("/* so */ savepoint a"))],
    ["ROLLBACK TO in a session", (db) => db.session((session) => session.query("rollback work to savepoint a"))],
    ["another isolation level", (db) => db.transaction((tx) => tx.query("select 1"), { isolation: "serializable" })],
    ["another isolation level of a batch", (db) => db.batch([sql`select 1`], { isolation: "read committed" })],
    ["one that waits for its snapshot", (db) => db.batch([sql`select 1`], { readOnly: true, deferrable: true })],
    ["another of a session's transaction", (db) => db.session((held) => held.transaction(async () => {}, { isolation: "serializable" }))],
    ["one by SQL", (db) => db.session((held) => held.query("begin transaction isolation level serializable"))],
    ["one by SET", (db) => db.transaction((tx) => tx.query("set transaction isolation level read committed"))],
    ["an advisory lock", (db) => db.transaction((tx) => tx.query("select pg_advisory_xact_lock(1)"))],
    ["an advisory lock alone", (db) => db.query("select pg_catalog.pg_try_advisory_xact_lock($1)", [1])],
    ["a temporary table", (db) => db.transaction((tx) => tx.query("create temp table t (a int) on commit drop"))],
    ["LISTEN", (db) => db.session((session) => session.query("listen a"))],
    ["NOTIFY", (db) => db.query("notify a")],
    ["pg_notify", (db) => db.batch([sql`select pg_notify('a', ${"b"})`])],
    ["any of them in a script", (db) => db.script("select 1; savepoint a")],
    ["any of them in a stream", (db) => readAll(db)],
  ];
  test.each(calls)("%s", async (_, call) => {
    await using fake = await startFake();
    await using db = open(fake);
    expect(await failureOf(call(db))).toMatchObject({ name: "UsageError", code: "NOT_SUPPORTED", fate: "not-sent" });
    expect(fake.strange).toEqual([]);
  });

  test.each<[string, string]>([
    ["a setting of the session", "set work_mem = '1MB'"],
    ["a statement kept by name", "prepare a as select 1"],
  ])("%s, as on every target that keeps no session", async (_, text) => {
    await using fake = await startFake();
    await using db = open(fake);
    expect(await failureOf(db.session((session) => session.query(text)))).toMatchObject({ code: "SESSION_STATE", fate: "not-sent" });
  });

  test("and what it has goes: repeatable read, read only, the same statement again without a name", async () => {
    await using fake = await startFake();
    await using db = open(fake);
    const level = "select current_setting('transaction_isolation') as level";
    const [first] = await db.batch([sql.raw(level)], { isolation: "repeatable read", deferrable: false });
    expect(first?.rows).toEqual([{ level: "repeatable read" }]);
    expect((await db.transaction((tx) => tx.query(level), { isolation: "repeatable read", readOnly: true })).rows).toEqual(first?.rows);
    await db.session((session) => session.query("begin isolation level repeatable read"));
    for (let round = 0; round < 3; round++) await db.query("select $1::int as temperature", [round], { readOnly: true });
    expect(fake.strange).toEqual([]);
  });
});

test("the plan says all of it", async () => {
  const { plan } = createDatabase({ host: "kiabc.dsql.eu-central-1.on.aws", user: "admin", database: "postgres" });
  expect(plan).toMatchObject({ target: "dsql", lifetimeMs: 54 * MINUTE_MS });
  expect(plan.capabilities).toMatchObject({
    iam: true,
    verifiedTls: true,
    namedStatements: false,
    sessionState: false,
    maxAgeMs: 54 * MINUTE_MS,
    lacks: ["savepoints", "isolation levels", "advisory locks", "temporary tables", "notifications"],
  });
  expect(plan.reasons.lifetimeMs).toMatch(/dsql ends a connection/);
});
