import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { openDirect, urlAt } from "../core/databases.ts";
import { read } from "./blocks.ts";

const headings = [...read("docs/messages.md").matchAll(/^### (.*)$/gm)].map(([, heading = ""]) => heading);

/** What ends in an error, by the heading under which a reader finds it. */
type Provoke = () => Promise<unknown>;

/** A statement, or several one after the other, on a client of pg's own. */
const statements =
  (...texts: readonly (string | pg.QueryConfig)[]): Provoke =>
  async () => {
    await using direct = await openDirect();
    for (const text of texts) await direct.query(text);
  };

const afterFailure: Provoke = async () => {
  await using direct = await openDirect();
  await direct.query("begin");
  await direct.query("select 1 / 0").catch(() => {});
  await direct.query("select 1");
};

const { password } = new URL(urlAt());
const at = (changes: pg.ClientConfig) => {
  const { host, port, user, database } = inject("postgres");
  return { host, port, user, database, password: decodeURIComponent(password), ...changes };
};

const provoked: Readonly<Record<string, Provoke>> = {
  "terminating connection due to administrator command": statements("select pg_terminate_backend(pg_backend_pid())"),
  'prepared statement "s0" does not exist': statements("execute s0"),
  'relation "users" does not exist': statements(
    "create schema docs_messages_empty; set search_path = docs_messages_empty",
    "select * from users",
  ),
  "canceling statement due to statement timeout": statements("set statement_timeout = 20", "select pg_sleep(20)"),
  "current transaction is aborted, commands ignored until end of transaction block": afterFailure,
  "cannot execute INSERT in a read-only transaction": statements(
    "begin; create table docs_messages (n int); set transaction read only",
    "insert into docs_messages values (1)",
  ),
  'bind message supplies 1 parameters, but prepared statement "" requires 2': statements({ text: "select $1::int, $2::int", values: [1] }),
  "could not determine data type of parameter $1": statements({ text: "select $1 is null", values: [null] }),
  "malformed array literal, invalid input syntax for type json": statements({ text: "select $1::int[]", values: ["no"] }),
  "bind message has 4464 parameter formats but 0 parameters": statements({ text: "select 1", values: Array<number>(70_000).fill(1) }),
  "cached plan must not change result type": statements(
    "create temp table docs_messages_plan (n int)",
    { name: "plan", text: "select * from docs_messages_plan" },
    "alter table docs_messages_plan add more int",
    { name: "plan", text: "select * from docs_messages_plan" },
  ),
  'unsupported Unicode escape sequence, invalid byte sequence for encoding "UTF8": 0x00': statements({
    text: "select $1::jsonb",
    values: [{ a: "\0" }],
  }),
  "password authentication failed for user": async () => {
    await new pg.Client(at({ password: "wrong" })).connect();
  },
  "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string": async () => {
    await new pg.Client(at({ password: null as never })).connect();
  },
  "Cannot use a pool after calling end on the pool": async () => {
    const pool = new pg.Pool(at({}));
    await pool.end();
    await pool.query("select 1");
  },
  "Release called on client which has already been released to the pool": async () => {
    const pool = new pg.Pool(at({}));
    const client = await pool.connect();
    client.release();
    try {
      client.release();
    } finally {
      await pool.end();
    }
  },
  "timeout exceeded when trying to connect": async () => {
    const pool = new pg.Pool({ ...at({}), max: 1 });
    const held = await pool.connect();
    // of the wait alone, not of connecting
    pool.options.connectionTimeoutMillis = 20;
    try {
      await pool.query("select 1");
    } finally {
      held.release();
      await pool.end();
    }
  },
  "Client has encountered a connection error and is not queryable": async () => {
    const client = new pg.Client(at({}));
    client.on("error", () => {});
    await client.connect();
    await client.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
    await new Promise((resolve) => client.once("end", resolve));
    await client.query("select 1");
  },
};

describe("the words under which a message is found are those that are said", () => {
  test.each(Object.entries(provoked))("%s", async (heading, provoke) => {
    expect(headings).toContain(heading);
    const failure: unknown = await provoke().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Error);
    const said = (failure as Error).message.replace(/:? "no"$/, "").replace(/ "[^"]*"$/, (name) => (heading.includes(name) ? name : ""));
    expect(heading).toContain(said.replace(/\.$/, ""));
  });
});
