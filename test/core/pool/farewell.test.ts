import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { failureOf, openDirect, openPool, until } from "../databases.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table farewells (id int)");
});
beforeEach(() => direct.query("truncate farewells"));
afterAll(async () => {
  await direct.query("drop table farewells");
  await direct.end();
});

const insert = sql`insert into farewells values (1)`;
const value = async () => Number((await direct.query("select id from farewells")).rows[0].id);
const countRows = async () => Number((await direct.query("select count(*) from farewells")).rows[0].count);

/** Stands still, as a busy event loop does, until the server has ended a session: its farewell has arrived, and nobody has read it. */
async function endUnseen(db: Database): Promise<void> {
  const { rows } = await db.query<{ pid: number }>("select pg_backend_pid() as pid");
  const killed = direct.query("select pg_terminate_backend($1, 5000)", [rows[0]?.pid]);
  const over = Date.now() + 200;
  // the query to the other connection leaves in this turn of the event loop, its answer is read in a later one
  await Promise.resolve();
  while (Date.now() < over);
  void killed.catch(() => {});
}

describe("a connection used a moment ago, whose farewell arrives while the event loop is blocked", () => {
  const calls: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
    "an insert": (db) => db.query(insert),
    "a read": (db) => db.query("insert into farewells values (1) returning id", [], { idempotent: true }),
    "a batch": (db) => db.batch([insert, sql`select 1`]),
    "a transaction": (db) =>
      db.transaction(async (tx) => {
        await tx.query(insert);
        await tx.sql`select 1`;
      }),
    "a session": (db) =>
      db.session(async (session) => {
        await session.query(insert);
        await session.sql`select 1`;
      }),
  };

  test.each(Object.entries(calls))("is replaced, and %s is done once", async (_, call) => {
    await using db = openPool({ max: 1 });
    await endUnseen(db);
    await call(db);
    expect([await countRows(), db.stats().connects]).toEqual([1, 2]);
  });
});

/** Ends the backend of a call once it waits for the lock of a row: a table's would be waited for by Parse, when nothing has begun. */
async function endWaiting(mark: string): Promise<void> {
  const waiting = "select pid from pg_stat_activity where query like $1 and wait_event_type = 'Lock'";
  await until(async () => (await direct.query(waiting, [`%${mark}%`])).rowCount === 1);
  await direct.query(`select pg_terminate_backend(pid, 5000) from (${waiting}) as held`, [`%${mark}%`]);
}

describe("a backend that is ended while its statement runs", () => {
  let holder: Awaited<ReturnType<typeof openDirect>>;
  beforeEach(async () => {
    holder = await openDirect();
    await direct.query("insert into farewells values (0)");
    await holder.query("begin; select from farewells for update");
    return () => holder.end();
  });

  test("leaves the fate unknown, and nothing is tried again", async () => {
    await using db = openPool({ max: 1 });
    const work = failureOf(db.query("update farewells set id = id + 1 /* plain */"));
    await endWaiting("/* plain */");
    expect(await work).toMatchObject({ name: "DatabaseError", code: "57P01", severity: "FATAL", fate: "unknown", retryable: false });
    expect(db.stats().retries).toBe(0);
  });

  test("is followed by another attempt where the caller said that twice does no harm", async () => {
    await using db = openPool({ max: 1 });
    const work = db.query("update farewells set id = id + 1 /* claimed */", [], { idempotent: true });
    await endWaiting("/* claimed */");
    await holder.query("commit");
    expect((await work).via.attempts).toBe(2);
    expect(await value()).toBe(1);
  });

  test("refuses its transaction, which runs again where that was asked for", async () => {
    await using db = openPool({ max: 1 });
    const work = db.transaction(
      async (tx) => {
        await tx.sql`select 1`;
        await tx.sql`update farewells set id = id + 1 /* again */`;
      },
      { retries: 3 },
    );
    await endWaiting("/* again */");
    await holder.query("commit");
    await work;
    expect([await value(), db.stats().retries]).toEqual([1, 1]);
  });
});

test("what has begun when its backend ends is not sent again by itself, for it may be what ended it", async () => {
  await using db = openPool({ max: 1 });
  await db.query("select 1");
  const work = db.transaction((tx) => tx.sql`select pg_terminate_backend(pg_backend_pid())`);
  expect(await failureOf(work)).toMatchObject({ code: "57P01", fate: "refused", retryable: true });
  expect([db.stats().connects, db.stats().retries]).toEqual([1, 0]);
});

test("a transaction that the server gave up between two statements is refused, with the server's reason", async () => {
  await using db = openPool({ max: 1, startupOptions: "-c idle_in_transaction_session_timeout=50" });
  const error = await failureOf(
    db.transaction(async (tx) => {
      await tx.query(insert);
      await until(async () => (await direct.query("select 1 from pg_stat_activity where state = 'idle in transaction'")).rowCount === 0);
      await tx.sql`select 1`;
    }),
  );
  expect(error).toMatchObject({ code: "CONNECTION_LOST", fate: "refused", retryable: true, cause: { code: "25P03" } });
  expect(await countRows()).toBe(0);
});
