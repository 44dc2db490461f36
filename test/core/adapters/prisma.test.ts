import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { atModuleScope, PrismaWarmline } from "../../../src/adapters/prisma.ts";
import { parsers } from "../../../src/adapters/prisma-columns.ts";
import type { DriverAdapterError } from "../../../src/adapters/prisma-errors.ts";
import type { SqlDriverAdapter, SqlQuery, SqlQueryable } from "../../../src/adapters/prisma-interface.ts";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { createDatabase, type Database, type DatabaseOptions, fateOf } from "../../../src/entry/node.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { openDirect, openPool, urlAt } from "../databases.ts";
import { stopWallClock } from "../pool/passing-time.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let endpoint: Endpoint;

// what was used a moment ago is not asked: on a slow machine neither
beforeAll(stopWallClock);
beforeAll(async () => {
  direct = await openDirect();
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  await direct.query(
    "create table prisma_word (word text constraint prisma_word_key unique deferrable initially immediate, n int not null default 0)",
  );
});
beforeEach(async () => {
  await direct.query("truncate prisma_word");
});
afterAll(async () => {
  await direct.query("drop table prisma_word");
  await endpoint.stop();
  await direct.end();
});

const words = async () => (await direct.query("select word from prisma_word order by word")).rows.map(({ word }) => word);
const query = (sql: string, args: readonly unknown[] = [], scalarType = "string"): SqlQuery => ({
  sql,
  args,
  argTypes: args.map((arg) => ({ scalarType, arity: Array.isArray(arg) ? "list" : "scalar" })),
});
const insert = (on: SqlQueryable, word: string) => on.executeRaw(query("insert into prisma_word values ($1)", [word]));
const fail = (on: SqlQueryable) => on.queryRaw(query("select 1 / 0"));

async function errorOf(promise: Promise<unknown>): Promise<DriverAdapterError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  // what Prisma knows it by
  expect(error).toMatchObject({ name: "DriverAdapterError", cause: { kind: expect.any(String) } });
  return error as DriverAdapterError;
}

/** The error of a query on a database that is opened for it. */
async function errorOn(options: DatabaseOptions, sql = "select 1"): Promise<DriverAdapterError> {
  await using db = createDatabase({ deadlineMs: 20_000, ...options });
  return errorOf((await new PrismaWarmline(db).connect()).queryRaw(query(sql)));
}

describe.each(["pool", "http"] as const)("over %s", (way) => {
  let wire: Wire;
  let db: Database;
  let adapter: SqlDriverAdapter;

  beforeAll(async () => {
    wire = await startWire(way === "pool" ? inject("postgres") : { host: "127.0.0.1", port: endpoint.port });
    db =
      way === "pool" ? openPool({ url: urlAt(wire), max: 2 }) : openPool({ transport: "http", endpoint: `http://127.0.0.1:${wire.port}` });
    adapter = await new PrismaWarmline(db, { schema: "public" }).connect();
    await adapter.queryRaw(query("select 1"));
  });
  beforeEach(() => wire.reset());
  afterAll(async () => {
    await db.close();
    await wire.close();
  });

  test("a query is one round trip, and rows are arrays with Prisma's types of their columns", async () => {
    const asked = await adapter.queryRaw(query("select 1 as n, 1 as n, 'a' as text, 2::int8 as big, null::jsonb as data"));
    expect(asked).toEqual({
      columnNames: ["n", "n", "text", "big", "data"],
      columnTypes: [0, 0, 7, 1, 11],
      rows: [[1, 1, "a", "2", null]],
    });
    expect(wire.roundTrips()).toBe(1);
  });

  test("a transaction of two is three round trips, and commits them", async () => {
    const tx = await adapter.startTransaction("SERIALIZABLE");
    const { rows } = await tx.queryRaw(query("select current_setting('transaction_isolation')"));
    expect(await insert(tx, "kept")).toBe(1);
    await tx.commit();
    expect(rows).toEqual([["serializable"]]);
    expect(wire.roundTrips()).toBe(3 + (way === "http" ? 2 : 0));
    expect(tx.options).toEqual({ usePhantomQuery: true });
    expect(await words()).toEqual(["kept"]);
  });

  test("savepoints are rolled back to and released, and a rollback leaves nothing", async () => {
    const tx = await adapter.startTransaction();
    await insert(tx, "kept");
    await tx.createSavepoint("one");
    await insert(tx, "undone");
    await fail(tx).catch(() => {});
    await tx.rollbackToSavepoint("one");
    await tx.createSavepoint("two");
    await insert(tx, "kept too");
    await tx.releaseSavepoint("two");
    await tx.commit();
    expect(await words()).toEqual(["kept", "kept too"]);
    const other = await adapter.startTransaction();
    await insert(other, "undone");
    await other.createSavepoint("one");
    await other.rollback();
    expect(await words()).toEqual(["kept", "kept too"]);
  });

  test("a commit that the server answers with ROLLBACK is no success", async () => {
    const tx = await adapter.startTransaction();
    await insert(tx, "undone");
    await fail(tx).catch(() => {});
    expect(await errorOf(tx.commit())).toMatchObject({
      cause: { kind: "TransactionAlreadyClosed" },
      code: "TRANSACTION_FAILED",
      fate: "refused",
    });
    expect((await errorOf(insert(tx, "late"))).cause.kind).toBe("TransactionAlreadyClosed");
    expect(await words()).toEqual([]);
  });

  test("a script of several statements runs, with semicolons in texts", async () => {
    await adapter.executeScript("insert into prisma_word values ('a;b'); insert into prisma_word values ('c');");
    expect(await words()).toEqual(["a;b", "c"]);
    expect((await errorOf(adapter.executeScript("select nonsense"))).cause.kind).toBe("ColumnNotFound");
  });

  test("several statements in one text without values run as one transaction, by themselves and within one", async () => {
    const both = query("insert into prisma_word values ('a;b');\n insert into prisma_word values ('c'); -- ;");
    const refused = query("insert into prisma_word values ('d'); select 1 / 0");
    expect(await adapter.executeRaw(both)).toBe(0);
    expect((await errorOf(adapter.executeRaw(refused))).code).toBe("22012");
    expect(await words()).toEqual(["a;b", "c"]);
    await direct.query("truncate prisma_word");
    const tx = await adapter.startTransaction();
    expect(await tx.executeRaw(both)).toBe(0);
    await tx.commit();
    expect(await words()).toEqual(["a;b", "c"]);
  });

  test.each([
    [
      "insert into prisma_word values ('a'), ('a')",
      { kind: "UniqueConstraintViolation", constraint: { index: "prisma_word_key" }, table: "prisma_word" },
    ],
    ["insert into prisma_word values ('a', null)", { kind: "NullConstraintViolation", constraint: { fields: ["n"] } }],
    ["select 'x'::varchar(1), 300000::int2", { kind: "ValueOutOfRange" }],
    ["select 'x'::int", { kind: "InvalidInputValue" }],
    ["select * from nowhere", { kind: "TableDoesNotExist", table: "nowhere" }],
    ["select nowhere from prisma_word", { kind: "ColumnNotFound", column: "nowhere" }],
    ["do $$ begin raise exception 'x' using errcode = '40001'; end $$", { kind: "TransactionWriteConflict" }],
    ["do $$ begin raise exception 'x' using errcode = '40P01'; end $$", { kind: "TransactionWriteConflict" }],
    ["do $$ begin raise exception 'x' using errcode = '53300'; end $$", { kind: "TooManyConnections" }],
    ["do $$ begin raise exception 'x' using errcode = '22001'; end $$", { kind: "LengthMismatch" }],
    [
      "do $$ begin raise exception 'x' using errcode = '23503', constraint = 'theirs'; end $$",
      { kind: "ForeignKeyConstraintViolation", constraint: { index: "theirs" } },
    ],
    ["do $$ begin raise exception 'x' using errcode = '42P04'; end $$", { kind: "DatabaseAlreadyExists" }],
    ["select 1 / 0", { kind: "postgres", code: "22012", severity: "ERROR" }],
  ])("%s has its kind", async (sql, kind) => {
    const error = await errorOf(adapter.executeRaw(query(sql)));
    expect(error.cause).toMatchObject({ ...kind, originalCode: error.code });
    expect(fateOf({ meta: { driverAdapterError: error } })).toBe(error.fate);
  });

  test("an error shows no value, and the one it is made of has what the server said of it", async () => {
    await insert(adapter, "secret");
    const error = await errorOf(insert(adapter, "secret"));
    expect(JSON.stringify([error, error.cause, error.message, error.stack])).not.toContain("secret");
    expect(error.error).toMatchObject({ code: "23505", detail: expect.stringContaining("secret") });
  });

  test("a type that Prisma has none of is told by its kind, as something that was done", async () => {
    const told = async (sql: string) => {
      const { cause, fate } = await errorOf(adapter.queryRaw(query(sql)));
      return { ...cause, fate };
    };
    const kind = "UnsupportedNativeDataType";
    expect(await told("select '(1,2)'::point")).toEqual({ kind, type: "point", fate: "applied" });
    expect(await told("select pg_notify('prisma', 'x')")).toEqual({ kind, type: "void", fate: "applied" });
    expect(await told("select '1'::xid")).toEqual({ kind, type: "of id 28", fate: "applied" });
  });

  test("arrays are read in every form Postgres writes", async () => {
    const { rows, columnTypes } = await adapter.queryRaw(
      query(`select array['a', null, 'NULL', '', 'q"\\,{}', 'ü'], array[[1, 2], [3, null]], '{}'::text[], '[0:1]={1.5,2.5}'::numeric[],
        array['{"a": ["x"]}'::jsonb], array[true, false], array['\\x00ff'::bytea], array['-$1,234.50'::money], array[1.5::float8, 'NaN']`),
    );
    expect(rows).toEqual([
      [
        ["a", null, "NULL", "", 'q"\\,{}', "ü"],
        [
          [1, 2],
          [3, null],
        ],
        [],
        ["1.5", "2.5"],
        ['{"a": ["x"]}'],
        [true, false],
        [Buffer.from([0, 255])],
        ["-1234.50"],
        [1.5, Number.NaN],
      ],
    ]);
    expect(columnTypes).toEqual([71, 64, 71, 68, 75, 69, 77, 68, 67]);
  });

  test("moments are the same whatever the server's zone is", async () => {
    const moment = new Date("2026-03-04T05:06:07.089Z");
    const tx = await adapter.startTransaction();
    await tx.executeRaw(query("set local timezone = 'Asia/Kolkata'"));
    const ask = "select $1::timestamptz, $2::timestamptz = '2026-03-04T05:06:07.089Z', $3::timestamp";
    const { rows } = await tx.queryRaw(query(ask, [moment, moment, moment], "datetime"));
    await tx.rollback();
    const [[withZone, isSame, without] = []] = rows;
    expect(new Date(String(withZone)).toISOString()).toBe("2026-03-04T05:06:07.089Z");
    expect([isSame, without]).toEqual([true, "2026-03-04T05:06:07.089+00:00"]);
  });

  test("parsers of the database's own change nothing for Prisma", async () => {
    await using own = openPool({
      ...(way === "http" && { transport: "http", endpoint: endpoint.url }),
      types: { 20: BigInt, 1184: () => "never", 114: JSON.parse },
    });
    const { rows } = await (await new PrismaWarmline(own).connect()).queryRaw(
      query(`select 1::int8, '2026-01-01 00:00+00'::timestamptz, '{"a":1}'::json`),
    );
    expect(rows).toEqual([["1", expect.stringContaining("T"), '{"a":1}']]);
  });

  test("dispose ends no database, and connection information names the schema", async () => {
    await adapter.dispose();
    expect(adapter.getConnectionInfo()).toEqual({ schemaName: "public", supportsRelationJoins: true });
    expect((await adapter.queryRaw(query("select 1"))).rows).toEqual([[1]]);
  });
});

test("values go as Prisma means them", async () => {
  await using db = openPool();
  const adapter = await new PrismaWarmline(db).connect();
  const arg = (sql: string, value: unknown, scalarType: string, dbType?: string) =>
    adapter
      .queryRaw({
        sql,
        args: [value],
        argTypes: [{ scalarType, arity: Array.isArray(value) ? "list" : "scalar", ...(dbType && { dbType }) }],
      })
      .then(({ rows }) => rows[0]?.[0]);
  expect(await arg("select $1::bytea", btoa("\0ÿ"), "bytes")).toEqual(Buffer.from([0, 255]));
  expect(await arg("select $1::bytea[]", [btoa("a"), null], "bytes")).toEqual([Buffer.from("a"), null]);
  expect(await arg("select $1::date", "2026-03-04T00:00:00.000Z", "datetime", "DATE")).toBe("2026-03-04");
  expect(await arg("select $1::time", "1970-01-01T05:06:07.089Z", "datetime", "TIME")).toBe("05:06:07.089");
  expect(await arg("select $1::timetz", "1970-01-01T05:06:07.089Z", "datetime", "TIMETZ")).toBe("05:06:07.089");
  expect(await arg("select $1::timestamp", "+012026-03-04T00:00:00.000Z", "datetime")).toBe("12026-03-04T00:00:00+00:00");
  expect(await arg("select $1::jsonb", '{"a": [1]}', "json")).toBe('{"a": [1]}');
  expect(await arg("select $1::numeric", "1.10", "decimal")).toBe("1.10");
  expect(await arg("select $1::int8", 9_007_199_254_740_993n, "bigint")).toBe("9007199254740993");
});

describe("what fails on the way", () => {
  test("nobody listens", async () => {
    const { cause, fate } = await errorOn({ url: "postgres://someone:x@127.0.0.1:1/none", transport: "pool", deadlineMs: 1_000 });
    expect(cause).toMatchObject({ kind: "DatabaseNotReachable" });
    expect(fate).toBe("not-sent");
  });

  test("a call past its deadline", async () => {
    const { cause, code } = await errorOn({ url: urlAt(), transport: "pool", deadlineMs: 200 }, "select pg_sleep(60)::text");
    expect([cause.kind, code]).toEqual(["SocketTimeout", "DEADLINE_EXCEEDED"]);
  });

  test("a wrong password, and a database that is not there", async () => {
    const wrong = new URL(urlAt());
    wrong.password = "wrong";
    expect((await errorOn({ url: wrong.href, transport: "pool" })).cause).toMatchObject({
      kind: "AuthenticationFailed",
      user: wrong.username,
    });
    expect((await errorOn({ url: urlAt(), database: "nowhere", transport: "pool" })).cause).toMatchObject({
      kind: "DatabaseDoesNotExist",
      db: "nowhere",
    });
  });

  test("a server without TLS", async () => {
    expect((await errorOn({ url: urlAt(), sslMode: "verify-full", transport: "pool" })).cause.kind).toBe("TlsConnectionError");
  });

  test("no connection is free", async () => {
    await using db = openPool({ max: 1, acquireTimeoutMs: 100 });
    const adapter = await new PrismaWarmline(db).connect();
    const tx = await adapter.startTransaction();
    await tx.queryRaw(query("select 1"));
    expect((await errorOf(adapter.startTransaction())).cause.kind).toBe("TooManyConnections");
    await tx.rollback();
  });

  test("a closed database says so as it does everywhere", async () => {
    const db = openPool();
    await db.close();
    const adapter = await new PrismaWarmline(db).connect();
    await expect(adapter.queryRaw(query("select 1"))).rejects.toMatchObject({ code: "CLOSED" });
    await expect(adapter.startTransaction()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

test("an isolation Postgres has none of, and a Prisma that is too old, are told", async () => {
  await using db = openPool();
  const adapter = await new PrismaWarmline(db).connect();
  expect((await errorOf(adapter.startTransaction("SNAPSHOT"))).cause).toMatchObject({ kind: "InvalidIsolationLevel", level: "SNAPSHOT" });
  const old = { sql: "select $1", args: ["a"], argTypes: ["Text"] } as unknown as SqlQuery;
  await expect(adapter.queryRaw(old)).rejects.toMatchObject({ code: "ORM_VERSION", message: expect.stringContaining("Prisma 7") });
});

test.each([
  ["no client", undefined],
  ["a client of another Prisma", { _requestHandler: { dataloader: { request() {}, options: {} } } }],
])("atModuleScope refuses %s when it is called", (_, client) => {
  expect(() => atModuleScope(client as object)).toThrowError(expect.objectContaining({ code: "ORM_VERSION", fate: "not-sent" }));
});

test.each([
  ["an address", "postgres://u:p@h/d"],
  ["nothing", undefined],
  ["a pool", { query() {}, connect() {} }],
])("%s in the place of a database is refused when it is handed over", (_, given) => {
  const refused = { code: "INVALID_OPTION", fate: "not-sent", message: expect.stringContaining("createDatabase(") };
  expect(() => new PrismaWarmline(given as never)).toThrowError(expect.objectContaining(refused));
});

test("over a view each query and transaction runs under its settings; a script is refused", async () => {
  await using db = openPool();
  const adapter = await new PrismaWarmline(db.with({ settings: { "app.tenant": "t1" } })).connect();
  const tenant = query("select current_setting('app.tenant', true)");
  expect((await adapter.queryRaw(tenant)).rows).toEqual([["t1"]]);
  const transaction = await adapter.startTransaction();
  expect((await transaction.queryRaw(tenant)).rows).toEqual([["t1"]]);
  await transaction.commit();
  await expect(transaction.queryRaw(tenant)).rejects.toMatchObject({
    code: "TRANSACTION_OVER",
    cause: { kind: "TransactionAlreadyClosed" },
  });
  await expect(adapter.executeScript("select 1")).rejects.toMatchObject({ code: "INVALID_OPTION", fate: "not-sent" });
});

// a server here has no locale but C, which writes the first two: the others are written as money is elsewhere
test.each([
  ["$1,234.50", "1234.50"],
  ["-$1,234,567.89", "-1234567.89"],
  ["1.234,50 €", "1234.50"],
  ["-1.234.567,89 €", "-1234567.89"],
  ["12,50 €", "12.50"],
  ["kr. 1.234,50", "1234.50"],
  ["1'234.50 CHF", "1234.50"],
  ["₹ 12,34,567.00", "1234567.00"],
  ["￥1,234", "1234"],
  ["1.234,00 Ft", "1234.00"],
  ["€ 1.234,50-", "-1234.50"],
  ["($1,234.50)", "-1234.50"],
  ["Rp1.234.567", "1234567"],
])("money that a server writes as %s is %s to Prisma", (text, amount) => {
  expect(parsers.getTypeParser(790, "text")?.(text)).toBe(amount);
});
