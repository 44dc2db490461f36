// Compiled, never run: what the types of the package promise. Every line under @ts-expect-error is one they must refuse.

import pg from "pg";
import {
  type CancelledError,
  ConfigError,
  createDatabase,
  type Database,
  DatabaseError,
  type DatabaseOptions,
  type DatabaseStats,
  type Fate,
  type Field,
  isWarmlineError,
  type Plan,
  type Result,
  type Row,
  type RowOf,
  type Source,
  type Sql,
  sql,
  type Transaction,
  type Via,
  WarmlineError,
} from "warmline";
import { type Equal, expectTrue, type IsAny } from "./assertions.ts";

interface User {
  readonly id: number;
  readonly name: string;
}

interface Order {
  readonly total: string;
}

declare const db: Database;
declare const databaseUrl: string | undefined;

export async function rowsAreTyped(): Promise<void> {
  const users = await db.sql<User>`select id, name from users`;
  expectTrue<Equal<typeof users, User[]>>();

  const result = await db.query(sql<User>`select id, name from users`, { readOnly: true, signal: new AbortController().signal });
  expectTrue<Equal<typeof result, Result<User>>>();
  expectTrue<Equal<typeof result.rows, User[]>>();
  expectTrue<Equal<typeof result.rowCount, number | null>>();
  expectTrue<Equal<typeof result.command, string | null>>();
  expectTrue<Equal<typeof result.fields, readonly Field[]>>();
  expectTrue<Equal<typeof result.via, Via>>();

  const named = await db.query<User>("select id, name from users where id = $1", [1], { deadlineMs: 100 });
  expectTrue<Equal<(typeof named.rows)[number], User>>();

  const object = await db.query<User>({ text: "select id, name from users where id = $1", values: [1] }, { types: pg.types });
  expectTrue<Equal<typeof object, Result<User>>>();
  const byText = await db.query({ text: "select 1 as one" }, { types: { getTypeParser: (id) => (id === 20 ? BigInt : undefined) } });
  expectTrue<Equal<typeof byText, Result>>();

  const untyped = await db.sql`select 1 as one`;
  expectTrue<Equal<typeof untyped, Row[]>>();
  expectTrue<Equal<Row[string], unknown>>();
  const raw = await db.query(sql.raw("select 1 as one"));
  expectTrue<Equal<typeof raw.rows, Row[]>>();

  // @ts-expect-error the columns of a row are unknown until they are named
  untyped[0]?.one.toFixed();
  // @ts-expect-error no such column
  users[0]?.email;
}

export async function batchesAreTupled(): Promise<void> {
  const [users, orders] = await db.batch([sql<User>`select`, sql<Order>`select`], { isolation: "serializable" });
  expectTrue<Equal<typeof users, Result<User>>>();
  expectTrue<Equal<typeof orders, Result<Order>>>();

  const [given, typed] = await db.batch([{ text: "select $1", values: [1] }, { text: "select" } as Source<Order>]);
  expectTrue<Equal<typeof given, Result>>();
  expectTrue<Equal<typeof typed, Result<Order>>>();

  const many: readonly Sql<User>[] = [];
  const results = await db.batch(many);
  expectTrue<Equal<(typeof results)[number], Result<User>>>();

  // @ts-expect-error there is no third
  (await db.batch([sql<User>`select`, sql<Order>`select`]))[2];
  // @ts-expect-error a text carries no values; write sql`…`
  await db.batch(["select 1"]);
  // @ts-expect-error a query that was sent is no statement
  await db.batch([db.sql`select 1`]);
  // @ts-expect-error no such isolation
  await db.batch([sql`select 1`], { isolation: "snapshot" });
}

export async function sqlIsInert(): Promise<void> {
  const statement = sql<User>`select`;
  expectTrue<Equal<RowOf<typeof statement>, User>>();
  expectTrue<Equal<Extract<keyof typeof statement, "then" | "catch" | "finally">, never>>();
  expectTrue<Equal<Awaited<typeof statement>, Sql<User>>>();
  expectTrue<Equal<typeof statement.text, string>>();

  const filter = sql`where ${sql.id("users", "id")} = any(${[1, 2]})`;
  const list = sql.join([1, 2, 3]);
  await db.query(sql<User>`select * from ${sql.id("users")} ${filter} and id in (${list}) and tags @> ${sql.json({ a: [1] })}`);
  await db.query(sql`update users set ${sql.join([sql`a = ${1}`, sql`b = ${2}`], sql.raw(", "))}`);

  const user: User = { id: 1, name: "Ada" };
  await db.query(sql<User>`insert into users ${sql.values([user])} returning *`);
  await db.query(sql`insert into users ${sql.values([{ ...user, at: sql`now()` }], ["name", "at"])}`);
  await db.query(sql`update users set ${sql.set({ name: sql`default` } satisfies Partial<Record<keyof User, unknown>>)}`);
  await db.query(sql`insert into users (name) ${sql.unnest([user], { name: "varchar(20)" })}`);
  const nobody: readonly User[] = [];
  await db.query(sql`insert into users (id) ${sql.unnest(nobody, { id: "int" })}`);

  // @ts-expect-error no such column in the rows
  sql.values([user], ["email"]);
  // @ts-expect-error no such column in the rows
  sql.unnest([user], { email: "text" });
  // @ts-expect-error a row is an object
  sql.values([1]);
  // @ts-expect-error a type is a name
  sql.unnest([user], { id: Number });
  // @ts-expect-error a patch is an object
  sql.set("name = 'Ada'");
  // @ts-expect-error it is no promise: db.query sends it
  statement.then();
  // @ts-expect-error awaiting it gives no rows
  (await statement).rows;
  // @ts-expect-error rows of one shape are not rows of another
  const other: Sql<Order> = statement;
  // @ts-expect-error names are texts
  sql.id(1);
  // @ts-expect-error the separator is sql, so that nobody writes a value into the text
  sql.join([1, 2], " and ");
  // @ts-expect-error only sql makes one
  const forged: Sql<User> = { values: [] };
  // @ts-expect-error its values are kept from everyone
  statement.values;
  void [other, forged];
}

export async function transactionsAreTyped(): Promise<void> {
  const total = await db.transaction(
    async (tx) => {
      expectTrue<Equal<typeof tx, Transaction>>();
      const [user] = await tx.sql<User>`select`;
      expectTrue<Equal<typeof user, User | undefined>>();
      const { rows } = await tx.query(sql<Order>`select`, { rowMode: "object" });
      const inner = await tx.transaction(async (savepoint) => (await savepoint.query("select 1")).rowCount);
      expectTrue<Equal<typeof inner, number | null>>();
      return rows.length;
    },
    { isolation: "repeatable read", readOnly: true, retries: 2, deadlineMs: 1_000 },
  );
  expectTrue<Equal<typeof total, number>>();

  const id = await db.session(async (session) => {
    await session.sql`set search_path = app`;
    const [user] = await session.batch([sql<User>`select`], { isolation: "serializable" });
    expectTrue<Equal<typeof user, Result<User>>>();
    const inner = await session.transaction(async (tx) => (await tx.sql<Order>`select`).length, { readOnly: true });
    expectTrue<Equal<typeof inner, number>>();
    // @ts-expect-error its connection may be what failed
    await session.transaction(async () => 1, { retries: 1 });
    return session.via.connectionId;
  });
  expectTrue<Equal<typeof id, string | null>>();

  await db.transaction(async (tx) => {
    const [user, order] = await tx.batch([sql<User>`select`, sql<Order>`select`], { rowMode: "object" });
    expectTrue<Equal<typeof user, Result<User>>>();
    expectTrue<Equal<typeof order, Result<Order>>>();
    // @ts-expect-error the modes are the transaction's
    await tx.batch([sql`select 1`], { readOnly: true });
    // @ts-expect-error the deadline is the transaction's
    await tx.query(sql`select 1`, { deadlineMs: 1 });
  });
  // @ts-expect-error the callback is async
  await db.transaction((tx) => tx);
  // @ts-expect-error a transaction is not repeated as a query is
  await db.transaction(async () => 1, { idempotent: true });
}

export function optionsAreChecked(): void {
  createDatabase();
  createDatabase("postgres://someone@host/db");
  createDatabase({ url: databaseUrl, max: 3, types: { 20: BigInt } });
  createDatabase({ host: "h", password: async () => "token", transport: "http", sslMode: "verify-full" });
  // @ts-expect-error no such setting
  createDatabase({ connectionString: "postgres://someone@host/db" });
  // @ts-expect-error no such transport
  createDatabase({ transport: "tcp" });
  // @ts-expect-error a number
  createDatabase({ max: "10" });
  // @ts-expect-error a URL object is no text
  createDatabase(new URL("postgres://someone@host/db"));
  // @ts-expect-error true or false
  void db.query(sql`select 1`, { readOnly: "yes" });
  // @ts-expect-error values are an array
  void db.query("select $1", 1);
  // @ts-expect-error the setting belongs to whoever made it
  (({ max: 1 }) satisfies DatabaseOptions as DatabaseOptions).max = 2;
}

export async function errorsTellTheirFields(error: unknown): Promise<void> {
  if (isWarmlineError(error)) {
    expectTrue<Equal<typeof error, WarmlineError>>();
    expectTrue<Equal<typeof error.code, string>>();
    expectTrue<Equal<typeof error.fate, Fate>>();
    expectTrue<Equal<Fate, "not-sent" | "refused" | "unknown" | "applied">>();
    expectTrue<Equal<typeof error.retryable, boolean>>();
  }
  if (error instanceof DatabaseError) {
    expectTrue<Equal<typeof error.sqlState, string>>();
    expectTrue<Equal<typeof error.constraint, string | undefined>>();
    expectTrue<Equal<typeof error.statementIndex, number | undefined>>();
  }
  if (error instanceof ConfigError) expectTrue<Equal<typeof error.setting, string>>();
  if (error instanceof WarmlineError) {
    // @ts-expect-error only the server tells a SQLSTATE
    error.sqlState;
    // @ts-expect-error what happened does not change
    error.fate = "refused";
  }
}

export async function handlesCloseThemselves(): Promise<void> {
  await using own = createDatabase();
  expectTrue<Equal<typeof own, Database>>();
  expectTrue<Equal<typeof own.plan, Plan>>();
  expectTrue<Equal<ReturnType<typeof own.stats>, DatabaseStats>>();
  expectTrue<Equal<DatabaseStats["transport"], "http" | "pool" | "request" | null>>();
  // @ts-expect-error the plan is made once
  own.plan.max = 1;
}

/** `any` would silence everything above. */
export function nothingIsAny(): void {
  expectTrue<IsAny<ReturnType<typeof JSON.parse>>>();
  expectTrue<Equal<IsAny<ReturnType<typeof createDatabase>>, false>>();
  expectTrue<Equal<IsAny<Database["query"] | Database["batch"] | Database["transaction"] | Database["plan"]>, false>>();
  expectTrue<Equal<IsAny<Result["rows"][number][string]>, false>>();
  expectTrue<Equal<IsAny<WarmlineError["cause"] | CancelledError["code"]>, false>>();
  expectTrue<Equal<IsAny<Parameters<Database["sql"]>[1]>, false>>();
}
