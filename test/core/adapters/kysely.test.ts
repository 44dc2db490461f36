import { AbortedTransactionError, CompiledQuery, type Generated, Kysely, PostgresDialect, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { WarmlineDialect } from "../../../src/adapters/kysely.ts";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { createDatabase, type Database } from "../../../src/entry/node.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { stopWallClock } from "../pool/passing-time.ts";

interface Tables {
  kysely_person: { id: Generated<number>; name: string };
}

let direct: Awaited<ReturnType<typeof openDirect>>;
let endpoint: Endpoint;

// what was used a moment ago is not asked: on a slow machine neither
beforeAll(stopWallClock);
beforeAll(async () => {
  direct = await openDirect();
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  await direct.query(`
    create table kysely_person (id int generated always as identity primary key, name text constraint kysely_name unique deferrable initially deferred);
    create function kysely_sets() returns void language sql as $$ select set_config('app.kysely', 'set', false) $$`);
});
beforeEach(async () => {
  await direct.query("truncate kysely_person restart identity");
});
afterAll(async () => {
  await direct.query("drop table kysely_person; drop function kysely_sets");
  await endpoint.stop();
  await direct.end();
});

const sleeping = async (text: string) =>
  (await direct.query("select 1 from pg_stat_activity where query like $1 and wait_event = 'PgSleep'", [`%${text}%`])).rowCount ?? 0;
const names = async () => (await direct.query("select name from kysely_person order by id")).rows.map(({ name }) => name);

describe.each(["pool", "http"] as const)("over %s", (way) => {
  let wire: Wire;
  let db: Database;
  let kysely: Kysely<Tables>;

  beforeAll(async () => {
    wire = await startWire(way === "pool" ? inject("postgres") : { host: "127.0.0.1", port: endpoint.port });
    db =
      way === "pool" ? openPool({ url: urlAt(wire), max: 2 }) : openPool({ transport: "http", endpoint: `http://127.0.0.1:${wire.port}` });
    kysely = new Kysely({ dialect: new WarmlineDialect(db) });
    await db.sql`select 1`;
  });
  beforeEach(() => wire.reset());
  afterAll(async () => {
    await db.close();
    await wire.close();
  });

  const insert = (on: Kysely<Tables>, name: string) => on.insertInto("kysely_person").values({ name });

  test("a query is one round trip, over HTTP one POST, and tells what it changed", async () => {
    const before = endpoint.requests;
    expect(await insert(kysely, "Ada").executeTakeFirst()).toEqual({ insertId: undefined, numInsertedOrUpdatedRows: 1n });
    expect(wire.roundTrips()).toBe(1);
    if (way === "http") expect(endpoint.requests - before).toBe(1);
    expect(await kysely.selectFrom("kysely_person").selectAll().execute()).toEqual([{ id: 1, name: "Ada" }]);
    expect((await kysely.deleteFrom("kysely_person").executeTakeFirst()).numDeletedRows).toBe(1n);
  });

  test("a query with a signal is one round trip too", async () => {
    const { signal } = new AbortController();
    await kysely.selectFrom("kysely_person").selectAll().execute({ signal });
    expect(wire.roundTrips()).toBe(1);
  });

  test("a transaction of three statements commits them in one round trip more", async () => {
    const login = way === "http" ? 2 : 0;
    await kysely.transaction().execute(async (trx) => {
      for (const name of ["Ada", "Grace", "Edsger"]) await insert(trx, name).execute();
    });
    expect(wire.roundTrips()).toBe(4 + login);
    expect(await names()).toEqual(["Ada", "Grace", "Edsger"]);
  });

  test("a transaction that throws is rolled back, and its error is the one that comes out", async () => {
    const undone = kysely.transaction().execute(async (trx) => {
      await insert(trx, "Ada").execute();
      throw new Error("stop");
    });
    await expect(undone).rejects.toThrow("stop");
    expect(await names()).toEqual([]);
  });

  test("isolation and access mode reach the server", async () => {
    const modes = await kysely
      .transaction()
      .setIsolationLevel("serializable")
      .setAccessMode("read only")
      .execute(async (trx) =>
        sql<{ isolation: string; access: string }>`
          select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as access`.execute(trx),
      );
    expect(modes.rows).toEqual([{ isolation: "serializable", access: "on" }]);
    const write = kysely
      .transaction()
      .setAccessMode("read only")
      .execute((trx) => insert(trx, "Ada").execute());
    expect(await failureOf(write)).toMatchObject({ code: "25006", fate: "refused" });
    await kysely
      .transaction()
      .setAccessMode("read write")
      .execute((trx) => insert(trx, "Ada").execute());
    expect(await names()).toEqual(["Ada"]);
  });

  test("a commit that is answered with ROLLBACK is Kysely's AbortedTransactionError, with the fate in its cause", async () => {
    const aborted = kysely.transaction().execute(async (trx) => {
      await insert(trx, "Ada").execute();
      await sql`select 1 / 0`.execute(trx).catch(() => {});
    });
    const error = await aborted.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AbortedTransactionError);
    expect(await failureOf(Promise.reject((error as Error).cause))).toMatchObject({ code: "TRANSACTION_FAILED", fate: "refused" });
    expect(await names()).toEqual([]);
  });

  test("a commit that the server refuses rejects with what it said", async () => {
    const refused = kysely.transaction().execute(async (trx) => {
      await insert(trx, "Ada").execute();
      await insert(trx, "Ada").execute();
    });
    expect(await failureOf(refused)).toMatchObject({ code: "23505", constraint: "kysely_name", fate: "refused" });
    expect(await names()).toEqual([]);
  });

  test("savepoints of a controlled transaction are rolled back to more than once, released, and left open", async () => {
    const trx = await kysely.startTransaction().execute();
    await insert(trx, "kept").execute();
    const first = await trx.savepoint("first").execute();
    await insert(first, "undone").execute();
    const second = await first.savepoint("second").execute();
    await insert(second, "undone too").execute();
    await sql`select 1 / 0`.execute(second).catch(() => {});
    await second.rollbackToSavepoint("first").execute();
    await insert(trx, "undone again").execute();
    await first.rollbackToSavepoint("first").execute();
    await insert(trx, "kept too").execute();
    await first.releaseSavepoint("first").execute();
    await trx.savepoint("third").execute();
    await insert(trx, "left open").execute();
    await trx.commit().execute();
    expect(await names()).toEqual(["kept", "kept too", "left open"]);
    expect(trx.isCommitted).toBe(true);
  });

  test("a savepoint in which a statement failed cannot be released, and can be rolled back to", async () => {
    const trx = await kysely.startTransaction().execute();
    await insert(trx, "kept").execute();
    const inner = await trx.savepoint("inner").execute();
    await sql`select 1 / 0`.execute(trx).catch(() => {});
    expect(await failureOf(inner.releaseSavepoint("inner").execute())).toMatchObject({ code: "TRANSACTION_FAILED" });
    await inner.rollbackToSavepoint("inner").execute();
    await trx.commit().execute();
    expect(await names()).toEqual(["kept"]);
  });

  test("a savepoint cannot be released while a statement has failed in one that is open within it, and can be rolled back to", async () => {
    const trx = await kysely.startTransaction().execute();
    await insert(trx, "kept").execute();
    const outer = await trx.savepoint("outer").execute();
    await insert(outer, "undone").execute();
    const middle = await outer.savepoint("middle").execute();
    const inner = await middle.savepoint("inner").execute();
    await sql`select 1 / 0`.execute(trx).catch(() => {});
    expect(await failureOf(inner.releaseSavepoint("outer").execute())).toMatchObject({ code: "TRANSACTION_FAILED" });
    await inner.rollbackToSavepoint("outer").execute();
    await insert(trx, "kept too").execute();
    await trx.commit().execute();
    expect(await names()).toEqual(["kept", "kept too"]);
  });

  test("a transaction is rolled back in one round trip, whatever savepoints are open", async () => {
    const trx = await kysely.startTransaction().execute();
    for (const name of ["first", "second", "third"]) {
      await trx.savepoint(name).execute();
      await insert(trx, name).execute();
    }
    wire.reset();
    await trx.rollback().execute();
    expect(wire.roundTrips()).toBe(1);
    expect(await names()).toEqual([]);
  });

  test("a commit with an open savepoint in which a statement failed keeps nothing", async () => {
    const trx = await kysely.startTransaction().execute();
    await insert(trx, "undone").execute();
    await trx.savepoint("inner").execute();
    await sql`select 1 / 0`.execute(trx).catch(() => {});
    await expect(trx.commit().execute()).rejects.toBeInstanceOf(AbortedTransactionError);
    expect(trx.isRolledBack).toBe(true);
    expect(await names()).toEqual([]);
  });

  test("a savepoint nobody has opened is refused by name of the code", async () => {
    const trx = await kysely.startTransaction().execute();
    expect(await failureOf(trx.rollbackToSavepoint("nobody's" as never).execute())).toMatchObject({ code: "INVALID_STATEMENT" });
    await trx.rollback().execute();
  });

  test("connection() is one and the same, also where its first statement sets what no text shows, and leaves nothing behind", async () => {
    const seen = await kysely.connection().execute(async (one) => {
      await sql`select kysely_sets()`.execute(one);
      const { rows } = await sql<{ value: string; pid: number }>`
        select current_setting('app.kysely', true) as value, pg_backend_pid() as pid`.execute(one);
      const again = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(one);
      expect(again.rows[0]?.pid).toBe(rows[0]?.pid);
      return rows[0]?.value;
    });
    expect(seen).toBe("set");
    const after = await sql<{ value: string | null }>`select current_setting('app.kysely', true) as value`.execute(kysely);
    expect(after.rows[0]?.value || null).toBeNull();
  });

  test("connection() with a signal is one and the same", async () => {
    const { signal } = new AbortController();
    const pids = await kysely.connection().execute(
      async (one) => {
        const ask = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(one)).rows[0]?.pid;
        return [await ask(), await ask()];
      },
      { signal },
    );
    expect(pids[0]).toBe(pids[1]);
  });

  test("a transaction on connection() runs on it", async () => {
    const pids = await kysely.connection().execute(async (one) => {
      const ask = async (on: Kysely<Tables>) => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(on)).rows[0]?.pid;
      const before = await ask(one);
      const within = await one.transaction().execute(async (trx) => {
        await insert(trx, "Ada").execute();
        return ask(trx);
      });
      return [before, within, await ask(one)];
    });
    expect(new Set(pids).size).toBe(1);
    expect(await names()).toEqual(["Ada"]);
  });

  test("what sets the state of a session is refused in a query by itself, and taken on connection()", async () => {
    const set = sql`set application_name = 'kysely'`;
    expect(await failureOf(set.execute(kysely))).toMatchObject({ code: "SESSION_STATE" });
    await kysely.connection().execute((one) => set.execute(one));
  });

  test("several statements in one text without values run, by themselves, in a transaction, and on connection()", async () => {
    const both = sql.raw("insert into kysely_person (name) values ('a;b');\n insert into kysely_person (name) values ('c'\n'd'); -- ;");
    const ways: ((run: (on: Kysely<Tables>) => Promise<unknown>) => Promise<unknown>)[] = [
      (run) => run(kysely),
      (run) => kysely.transaction().execute(run),
      (run) => kysely.connection().execute(run),
    ];
    for (const each of ways) {
      await each(async (on) => expect((await both.execute(on)).rows).toEqual([]));
      expect(await names()).toEqual(["a;b", "cd"]);
      const refused = each((on) => sql.raw("insert into kysely_person (name) values ('e'); select 1 / 0").execute(on));
      expect(await failureOf(refused)).toMatchObject({ code: "22012", fate: "refused" });
      expect(await names()).toEqual(["a;b", "cd"]);
      await direct.query("truncate kysely_person");
    }
  });

  test("a signal ends a query at the server", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const controller = new AbortController();
    const query = sql`select pg_sleep(60), ${sql.lit(`${way} alone`)}`.execute(kysely, { signal: controller.signal });
    const failure = expect(query).rejects.toThrow("enough");
    await until(async () => (await sleeping(`${way} alone`)) === 1);
    controller.abort(new Error("enough"));
    await failure;
    await until(async () => (await sleeping(`${way} alone`)) === 0);
  });

  test.each(["ignore query", "cancel query", "kill session"] as const)(
    "a signal ends a transaction at the server: %s",
    async (strategy) => {
      vi.spyOn(console, "error").mockImplementation(() => {});
      const controller = new AbortController();
      const text = `${way} inside ${strategy}`;
      const transaction = kysely.transaction().execute(async (trx) => {
        await insert(trx, "undone").execute();
        await sql`select pg_sleep(60), ${sql.lit(text)}`.execute(trx, { signal: controller.signal, inflightQueryAbortStrategy: strategy });
      });
      const failure = expect(transaction).rejects.toThrow("enough");
      await until(async () => (await sleeping(text)) === 1);
      controller.abort(new Error("enough"));
      await failure;
      await until(async () => (await sleeping(text)) === 0);
      expect(await names()).toEqual([]);
      expect(await insert(kysely, "next").executeTakeFirst()).toMatchObject({ numInsertedOrUpdatedRows: 1n });
    },
  );

  test("rows come as a stream, by themselves and in a transaction, and a reader that stops gives the connection back", async () => {
    await direct.query("insert into kysely_person (name) select 'n' || i from generate_series(1, 250) i");
    const all = (on: Kysely<Tables>) => on.selectFrom("kysely_person").select("id").orderBy("id").stream(100);
    const read = async (rows: AsyncIterable<{ id: number }>, most = Number.POSITIVE_INFINITY) => {
      const ids: number[] = [];
      for await (const { id } of rows) {
        ids.push(id);
        if (ids.length === most) break;
      }
      return ids.length;
    };
    expect(await read(all(kysely))).toBe(250);
    for (let times = 0; times < 5; times++) expect(await read(all(kysely), 10)).toBe(10);
    expect(await kysely.transaction().execute(async (trx) => [await read(all(trx), 10), await read(all(trx))])).toEqual([10, 250]);
    expect(await kysely.connection().execute(async (one) => [await read(all(one), 10), await read(all(one))])).toEqual([10, 250]);
  });

  test("introspection tells the tables, and migrations go up once, whoever begins them together, and down", async () => {
    const tables = await kysely.introspection.getTables();
    expect(tables.find(({ name }) => name === "kysely_person")?.columns.map(({ name }) => name)).toEqual(["id", "name"]);
    const migrator = () =>
      new Migrator({
        db: kysely,
        migrationTableName: "kysely_migration",
        migrationLockTableName: "kysely_migration_lock",
        provider: {
          getMigrations: async () => ({
            first: {
              up: (on) => on.schema.createTable("kysely_migrated").addColumn("id", "integer").execute(),
              down: (on) => on.schema.dropTable("kysely_migrated").execute(),
            },
            second: {
              up: async (on) => {
                await sql.raw("insert into kysely_migrated values (1); insert into kysely_migrated values (2)").execute(on);
              },
            },
          }),
        },
      });
    const both = await Promise.all([migrator().migrateToLatest(), migrator().migrateToLatest()]);
    expect(both.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(both.flatMap(({ results = [] }) => results.map(({ migrationName }) => migrationName))).toEqual(["first", "second"]);
    expect((await direct.query("select id from kysely_migrated")).rowCount).toBe(2);
    await direct.query("drop table kysely_migrated, kysely_migration, kysely_migration_lock");
    expect((await direct.query("select 1 from pg_locks where locktype = 'advisory'")).rowCount).toBe(0);
  });

  test("destroy ends no database", async () => {
    const own = new Kysely<Tables>({ dialect: new WarmlineDialect(db) });
    await insert(own, "Ada").execute();
    await own.destroy();
    expect(await kysely.selectFrom("kysely_person").select("name").execute()).toEqual([{ name: "Ada" }]);
  });

  test("values come and go as over Kysely's own dialect", async () => {
    const own = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: new (await import("pg")).default.Pool({ connectionString: urlAt() }) }),
    });
    const moment = new Date("2026-03-04T05:06:07.089Z");
    const ask = sql`select ${moment}::timestamptz as at, ${moment}::date as day, ${9_007_199_254_740_993n}::int8 as big, ${"1.10"}::numeric as exact,
      ${["a", null, 'q"\\']}::text[] as list, ${JSON.stringify({ a: [1] })}::jsonb as data, ${Buffer.from("\0é")}::bytea as bytes, ${null}::int as nothing,
      ${true}::bool as yes, ${{ b: { c: 1 } }}::jsonb as object, '1 day 02:03:04'::interval as span`;
    expect((await ask.execute(kysely)).rows).toEqual((await ask.execute(own)).rows);
    await own.destroy();
  });
});

test("parsers of a dialect read what goes through it alone", async () => {
  await using db = openPool();
  const types = { getTypeParser: (id: number) => (id === 20 ? BigInt : undefined) };
  const kysely = new Kysely<Tables>({ dialect: new WarmlineDialect(db, { types }) });
  const ask = sql<{ n: bigint }>`select 1::int8 as n`;
  expect((await ask.execute(kysely)).rows).toEqual([{ n: 1n }]);
  expect(await kysely.transaction().execute(async (trx) => (await ask.execute(trx)).rows)).toEqual([{ n: 1n }]);
  expect(await db.sql`select 1::int8 as n`).toEqual([{ n: "1" }]);
});

test("a plain query waits for no connection of its own: with one, twenty at once", async () => {
  await using db = openPool({ max: 1, acquireTimeoutMs: 5_000 });
  const kysely = new Kysely<Tables>({ dialect: new WarmlineDialect(db) });
  const all = await Promise.all(Array.from({ length: 20 }, (_, n) => sql<{ n: number }>`select ${n}::int as n`.execute(kysely)));
  expect(all.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test("a database that was closed says so, and one that cannot be reached says why", async () => {
  const closed = openPool();
  await closed.close();
  const kysely = new Kysely<Tables>({ dialect: new WarmlineDialect(closed) });
  expect(await failureOf(sql`select 1`.execute(kysely))).toMatchObject({ code: "CLOSED" });
  expect(await failureOf(kysely.transaction().execute(async () => {}))).toMatchObject({ code: "CLOSED" });
  await using lost = createDatabase({ url: "postgres://nobody:x@127.0.0.1:1/none", deadlineMs: 2_000 });
  const unreached = new Kysely<Tables>({ dialect: new WarmlineDialect(lost) });
  expect(await failureOf(unreached.transaction().execute(async () => {}))).toMatchObject({ fate: "not-sent" });
});

test("Kysely before 0.29, whose driver is begun without a word, is told which one is needed", async () => {
  await using db = openPool();
  const driver = new WarmlineDialect(db).createDriver();
  expect(await failureOf(driver.init())).toMatchObject({ code: "ORM_VERSION", message: expect.stringContaining("Kysely 0.29") });
});

test("a transaction past its deadline ends, and says so", async () => {
  await using db = openPool({ deadlineMs: 300 });
  const kysely = new Kysely<Tables>({ dialect: new WarmlineDialect(db) });
  const slow = kysely.transaction().execute((trx) => sql`select pg_sleep(60)`.execute(trx));
  expect(await failureOf(slow)).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
  const query = await kysely.executeQuery(CompiledQuery.raw("select 1 as one"));
  expect(query.rows).toEqual([{ one: 1 }]);
});

test.each([
  ["an address", "postgres://u:p@h/d"],
  ["nothing", undefined],
  ["a pool", { query() {}, connect() {} }],
])("%s in the place of a database is refused when it is handed over", (_, given) => {
  const refused = { code: "INVALID_OPTION", fate: "not-sent", message: expect.stringContaining("createDatabase(") };
  expect(() => new WarmlineDialect(given as never)).toThrowError(expect.objectContaining(refused));
});

test("over a view each query and transaction runs under its settings; what would hold a connection is refused", async () => {
  await using db = openPool();
  const kysely = new Kysely<Tables>({ dialect: new WarmlineDialect(db.with({ settings: { "app.tenant": "t1" } })) });
  const tenant = sql<{ tenant: string }>`select current_setting('app.tenant', true) as tenant`;
  const under = [{ tenant: "t1" }];
  expect((await tenant.execute(kysely)).rows).toEqual(under);
  expect((await kysely.transaction().execute((trx) => tenant.execute(trx))).rows).toEqual(under);
  expect(
    await kysely
      .startTransaction()
      .execute()
      .then(async (trx) => {
        const { rows } = await tenant.execute(trx);
        await trx.commit().execute();
        return rows;
      }),
  ).toEqual(under);
  expect((await sql`select 1; select 2`.execute(kysely)).rows).toEqual([]);
  const held = kysely.connection().execute(async (one) => {
    await tenant.execute(one);
    await tenant.execute(one);
  });
  expect(await failureOf(held)).toMatchObject({ code: "INVALID_OPTION", fate: "not-sent", message: expect.stringContaining("view") });
});
