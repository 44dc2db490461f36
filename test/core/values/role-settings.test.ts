import { randomUUID } from "node:crypto";
import { sql as drizzleSql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { drizzle } from "../../../src/adapters/drizzle.ts";
import { PrismaWarmline } from "../../../src/adapters/prisma.ts";
import { type Database, type DatabaseOptions, type Queries, sql } from "../../../src/entry/node.ts";
import { failureOf, openDirect, openPool } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";

/** A role per set of settings; each has them from the moment it logs in. */
const roles = {
  core_german: ["datestyle = 'German'", "intervalstyle = 'iso_8601'"],
  core_sql: ["datestyle = 'SQL, DMY'", "intervalstyle = 'sql_standard'"],
  core_postgres: ["datestyle = 'Postgres, DMY'", "intervalstyle = 'postgres_verbose'"],
  core_day_first: ["datestyle = 'ISO, DMY'", "timezone = 'Europe/Amsterdam'", "bytea_output = 'escape'"],
  core_rounding: ["extra_float_digits = -15"],
} as const;
type Role = keyof typeof roles;

const password = randomUUID();
const names = Object.keys(roles) as Role[];

beforeAll(async () => {
  await using direct = await openDirect();
  for (const name of names) {
    await direct.query(`create role ${name} login password '${password}'`);
    for (const setting of roles[name]) await direct.query(`alter role ${name} set ${setting}`);
  }
});
afterAll(async () => {
  await using direct = await openDirect();
  for (const name of names) await direct.query(`drop role ${name}`);
});

const ways: Readonly<Record<string, (options: DatabaseOptions) => Database>> = {
  pool: openPool,
  request: openRequest,
  http: (options) => openPool({ transport: "http", endpoint: inject("endpoint"), ...options }),
};

describe.each(Object.entries(ways))("over %s", (_, open) => {
  const as = (user: Role, options: DatabaseOptions = {}) => open({ user, password, ...options });
  /** A plain query, and a session, which is a WebSocket where the queries are POSTs. */
  const both: readonly ((db: Database, ask: (on: Pick<Queries, "query">) => Promise<unknown>) => Promise<unknown>)[] = [
    (db, ask) => ask(db),
    (db, ask) => db.session(ask),
  ];

  test.each(["core_german", "core_sql", "core_postgres"] as const)("what %s would write otherwise is refused by name", async (user) => {
    await using db = as(user);
    for (const within of both) {
      for (const type of ["date", "timestamp", "timestamptz", "date[]", "timestamp[]", "timestamptz[]"]) {
        const text = type.endsWith("[]") ? "{2026-02-03,NULL}" : "2026-02-03";
        const error = await failureOf(within(db, (on) => on.query(`select 1 as n, $1::${type} as at`, [text])));
        expect(error).toMatchObject({ name: "DecodeError", code: "DECODE_FAILED", column: "at", columnIndex: 1 });
        expect(error.message).toContain("set DateStyle = 'ISO, DMY'");
        expect(error.message).not.toContain("2026");
      }
      for (const [type, text] of [
        ["interval", "1 year 2 days 03:00"],
        ["interval", "0"],
        ["interval[]", "{1 day}"],
      ] as const) {
        const error = await failureOf(within(db, (on) => on.query(`select $1::${type} as span`, [text])));
        expect(error).toMatchObject({ name: "DecodeError", column: "span", columnIndex: 0 });
        expect(error.message).toContain("set IntervalStyle = 'postgres'");
      }
    }
  });

  test.each(["core_german", "core_sql", "core_postgres"] as const)(
    "an ORM that reads dates itself is told so of those of %s",
    async (user) => {
      await using db = as(user);
      const prisma = await new PrismaWarmline(db).connect();
      for (const type of ["date", "timestamp", "timestamptz", "date[]", "timestamp[]", "timestamptz[]"]) {
        const text = `select ${type.endsWith("[]") ? "'{NULL,2026-02-03}'" : "'2026-02-03'"}::${type} as at`;
        const ways = [() => drizzle(db).execute(drizzleSql.raw(text)), () => prisma.queryRaw({ sql: text, args: [], argTypes: [] })];
        for (const ask of ways) {
          const told = await ask().then(String, ({ cause }) => cause.originalMessage ?? cause.message);
          expect(told, text).toContain("set DateStyle = 'ISO, DMY'.");
        }
      }
    },
  );

  test("an ORM that reads dates itself gets those of a style of ISO", async () => {
    await using db = as("core_day_first");
    const text = `select '2026-02-03'::date d, '[0:1]={NULL,12026-02-03}'::date[] ds, '0044-03-15 BC'::timestamp t, '{infinity}'::timestamp[] i`;
    const prisma = await new PrismaWarmline(db).connect();
    expect(Object.values((await drizzle(db).execute<Record<string, unknown>>(drizzleSql.raw(text)))[0] ?? {})).toEqual([
      "2026-02-03",
      "[0:1]={NULL,12026-02-03}",
      "0044-03-15 00:00:00 BC",
      "{infinity}",
    ]);
    const { rows } = await prisma.queryRaw({ sql: text, args: [], argTypes: [] });
    expect(rows[0]?.slice(0, 2)).toEqual(["2026-02-03", [null, "12026-02-03"]]);
  });

  test("the order of day and month that a role has for its input stays", async () => {
    await using db = as("core_day_first");
    for (const within of both) {
      const ask = sql`select '02/03/2026'::date as day, '1890-01-01 00:00+00'::timestamptz as at, ${Uint8Array.of(0, 92, 255)}::bytea as bytes`;
      expect(await within(db, async (on) => (await on.query(ask)).rows)).toEqual([
        { day: new Date(2026, 2, 2), at: new Date(Date.UTC(1890, 0, 1)), bytes: Buffer.of(0, 92, 255) },
      ]);
    }
  });

  test("fractions are whole where the setting startupOptions asks for all of their digits", async () => {
    await using db = as("core_rounding", { startupOptions: "-c extra_float_digits=1" });
    for (const within of both) {
      expect(await within(db, async (on) => (await on.query("select $1::float8 as n", [0.1 + 0.2])).rows)).toEqual([{ n: 0.1 + 0.2 }]);
    }
  });
});
