import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";
import pg from "pg";
import QueryStream from "pg-query-stream";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { WarmPoolOptions } from "../../../src/entry/pool.ts";
import type { SharedPool } from "../../../src/transports/pool/shared-pool.ts";
import { createRequestPool, runRequest } from "../../faults/subjects/request-database.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { openDirect, until, urlAt } from "../databases.ts";
import { byClient, type Failure, failing, manners, outcomeOf, pgQueries } from "../pool/pg-corpus.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query(`
    drop table if exists pg_query;
    create table pg_query (id int primary key, name text, at timestamptz, bytes bytea, tags text[], data jsonb, price numeric, big bigint);
  `);
});
beforeEach(async () => {
  wire = await startWire(inject("postgres"));
  return () => wire.close();
});
afterAll(async () => {
  await direct.query("drop table pg_query");
  await direct.end();
});

const open = (options: WarmPoolOptions = {}) => createRequestPool({ url: urlAt(wire), ...options });

const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
  promise.then(
    () => expect.unreachable("It did not fail."),
    (error) => error,
  );

const pidOf = async (on: { query(text: string): Promise<pg.QueryResult> }): Promise<number> =>
  (await on.query("select pg_backend_pid() as pid")).rows[0].pid;

const countsOf = ({ totalCount, idleCount, waitingCount }: SharedPool) => [totalCount, idleCount, waitingCount];

describe.each([...manners, ["a client", byClient] as const])("gives by %s what a pg.Pool gives", (_, ask) => {
  test.each(pgQueries)("%s", async (_name, ...args) => {
    const theirs = new pg.Pool({ connectionString: urlAt(), max: 1, application_name: "warmline" });
    const ours = open({ url: urlAt(), max: 1 });
    await runRequest(ours, async () => {
      for (let time = 0; time < 3; time++) {
        await direct.query("truncate pg_query; insert into pg_query (id, name) values (1, 'x')");
        const wanted = await outcomeOf(ask(theirs, args).catch((error) => Promise.reject(Object.assign(error, { fate: "refused" }))));
        await direct.query("truncate pg_query; insert into pg_query (id, name) values (1, 'x')");
        expect(await outcomeOf(ask(ours, args))).toEqual(wanted);
      }
    });
    await theirs.end();
  });
});

test("is a pg.Pool that has read nothing before its first call", async () => {
  const pool = createRequestPool({ env: {} });
  // as Prisma's adapter does at once
  void pool.options;
  expect(pool).toBeInstanceOf(pg.Pool);
  pool.on("error", () => {});
  expect(countsOf(pool)).toEqual([0, 0, 0]);
});

test("a request has its own connections, which are one for calls that take turns, and ends them with it", async () => {
  const pool = open({ max: 3 });
  const pids = await Promise.all(
    [1, 2].map(() =>
      runRequest(pool, async () => {
        const client = await pool.connect();
        expect(countsOf(pool)).toEqual([1, 0, 0]);
        const own = await pidOf(client);
        client.release();
        expect(countsOf(pool)).toEqual([1, 1, 0]);
        expect(await pidOf(pool)).toBe(own);
        const [first, second] = [await pool.connect(), await pool.connect()];
        expect(countsOf(pool)).toEqual([2, 0, 0]);
        expect(await pidOf(first)).not.toBe(await pidOf(second));
        first.release();
        second.release();
        return own;
      }),
    ),
  );
  expect(pids[0]).not.toBe(pids[1]);
  expect(countsOf(pool)).toEqual([0, 0, 0]);
});

test("has options in pg's words, without a secret", async () => {
  const pool = open({ max: 3 });
  expect({ ...pool.options }).toMatchObject({ max: 3, idleTimeoutMillis: 0, user: inject("postgres").user });
  for (const looked of [pool, pool.options, { ...pool.options }])
    expect(inspect(looked, { depth: 10 })).not.toContain(inject("postgres").password);
  const { host, port, database, user, password } = pool.options as pg.ClientConfig;
  // what cancels by a connection of its own, as Kysely does
  const control = new pg.Client({ host, port, database, user, password } as pg.ClientConfig);
  await control.connect();
  await control.end();
});

test("whoever asks for more than its request may have waits for what is given back", async () => {
  const pool = open({ max: 1, acquireTimeoutMs: 100 });
  await runRequest(pool, async () => {
    const client = await pool.connect();
    const failure = await failureOf(pool.connect());
    expect(failure).toMatchObject({ code: "ACQUIRE_TIMEOUT", fate: "not-sent" });
    const waiting = pool.connect();
    expect(countsOf(pool)).toEqual([1, 0, 1]);
    const pid = await pidOf(client);
    client.release();
    const next = await waiting;
    expect(await pidOf(next)).toBe(pid);
    next.release();
  });
});

test("a client is given back once, and one that is destroyed, ended or left in a transaction is nobody's", async () => {
  const pool = open({ max: 1 });
  await runRequest(pool, async () => {
    const pids = new Set<number>();
    const leave: readonly ((client: pg.PoolClient) => unknown)[] = [
      (client) => client.release(true),
      (client) => client.release(new Error("no more of it")),
      async (client) => {
        await client.query("begin");
        client.release();
      },
      async (client) => {
        await (client as unknown as pg.Client).end();
        client.release();
      },
    ];
    for (const one of leave) {
      const client = await pool.connect();
      pids.add(await pidOf(client));
      await one(client);
      expect(() => client.release()).toThrow(expect.objectContaining({ code: "RELEASED_TWICE" }));
    }
    pids.add(await pidOf(pool));
    expect(pids.size).toBe(5);
  });
});

test("what a client sends and does not wait for is done, and nobody has its connection before", async () => {
  const pool = open({ max: 1 });
  await direct.query("truncate pg_query");
  await runRequest(pool, async () => {
    const client = await pool.connect();
    client.query("insert into pg_query (id) select 1 from pg_sleep(0.1)");
    client.release();
    expect((await pool.query("select id from pg_query")).rows).toEqual([{ id: 1 }]);
    const last = await pool.connect();
    last.query("insert into pg_query (id) select 2 from pg_sleep(0.1)");
    last.release();
  });
  expect((await direct.query("select id from pg_query order by id")).rows).toEqual([{ id: 1 }, { id: 2 }]);
});

test("what a client set stays on its connection, as with pg, and ends with the request", async () => {
  const pool = open({ max: 1 });
  await runRequest(pool, async () => {
    await byClient(pool, ["set work_mem = '321kB'"]);
    expect((await pool.query("show work_mem")).rows).toEqual([{ work_mem: "321kB" }]);
  });
  await runRequest(pool, async () => expect((await pool.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]));
});

test("emits what a pg.Pool emits, and a listener of connect has a new connection first", async () => {
  const pool = open({ max: 1 });
  const seen: string[] = [];
  pool.on("connect", (client) => void client.query("set work_mem = '123kB'"));
  for (const event of ["connect", "acquire", "release", "remove", "error"] as const) pool.on(event, () => void seen.push(event));
  await runRequest(pool, async () => {
    expect((await pool.query("show work_mem")).rows).toEqual([{ work_mem: "123kB" }]);
    expect(seen).toEqual(["connect", "acquire", "release"]);
    (await pool.connect()).release();
    expect(seen.slice(3)).toEqual(["acquire", "release"]);
  });
  expect(seen.slice(5)).toEqual(["remove"]);
});

test("tells of an idle connection that died, and survives where nobody listens", async () => {
  for (const listens of [true, false]) {
    const pool = open();
    const errors: Error[] = [];
    if (listens) pool.on("error", (error) => void errors.push(error));
    await runRequest(pool, async () => {
      await direct.query("select pg_terminate_backend($1)", [await pidOf(pool)]);
      await until(() => pool.totalCount === 0);
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    });
    expect(errors.map(({ message }) => message)).toEqual(listens ? [expect.stringMatching(/terminat/)] : []);
  }
});

test("errors are pg's, with a fate", async () => {
  const pool = open({ max: 1 });
  await runRequest(pool, async () => {
    for (const ask of [...manners.map(([, one]) => one), byClient]) {
      const error = await failureOf(ask(pool, ["select 1 / $1::int", [0]]));
      expect(error).toBeInstanceOf(pg.DatabaseError);
      expect(error).toMatchObject({ code: "22012", fate: "refused" });
    }
    const killed = await failureOf(pool.query("select pg_terminate_backend(pg_backend_pid())"));
    expect(killed).toMatchObject({ code: "57P01", fate: "unknown" });
    const unread = await failureOf(pool.query({ text: "select $1::int as n", values: [1], types: failing } as never));
    expect(unread).toMatchObject({ message: "a parser's own", fate: "applied" });
  });
  const nobody = open({ url: urlAt({ port: 1 }) });
  expect(await runRequest(nobody, () => failureOf(nobody.query("select 1")))).toMatchObject({ fate: "not-sent" });
});

test("cursors and streams run on a client, and a submittable on the pool", async () => {
  const pool = open({ max: 1 });
  await runRequest(pool, async () => {
    const rows: unknown[] = [];
    const client = await pool.connect();
    for await (const row of client.query(new QueryStream("select generate_series(1, 250) as n", [], { batchSize: 100 }))) rows.push(row);
    client.release();
    expect(rows).toHaveLength(250);
    const query = new pg.Query("select 1 as one");
    const got = new Promise((resolve) => query.once("row", resolve));
    pool.query(query as never);
    expect(await got).toEqual({ one: 1 });
  });
});

test("queries at once share the one connection of their request, once they are known to be fast", async () => {
  const pool = open();
  await until(() =>
    runRequest(pool, async () => {
      await pool.query("select $1::int as n", [0]);
      wire.reset();
      const all = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.query("select $1::int as n", [n])));
      expect(all.map(({ rows }) => rows[0].n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
      return wire.roundTrips() <= 2;
    }),
  );
});

test("outside of a request each query, and each client, has a connection of its own, which ends with it", async () => {
  const pool = open();
  const pids = [await pidOf(pool), await pidOf(pool)];
  const client = await pool.connect();
  pids.push(await pidOf(client));
  expect(await pidOf(client)).toBe(pids[2]);
  client.release();
  expect(new Set(pids).size).toBe(3);
  await until(async () => (await direct.query("select 1 from pg_stat_activity where pid = any($1)", [pids])).rowCount === 0);
});

test("end ends the handle for every request, waits for none, and says what to do instead", async () => {
  const [pool, other] = [open(), open()];
  await runRequest(pool, async () => {
    await other.query("select 1");
    const client = await pool.connect();
    await pool.end();
    expect([pool.ending, pool.ended]).toEqual([true, true]);
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    client.release();
    expect((await other.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
  for (const late of [pool.query("select 1"), pool.connect(), pool.end()]) {
    expect(await failureOf(late)).toMatchObject({ code: "CLOSED", fate: "not-sent" });
  }
  expect(await failureOf(pool.query("select 1"))).toMatchObject({ message: expect.stringContaining("Leave end out") });
});

test("a client of a request that is over refuses what it is asked, in each manner, and says what to do instead", async () => {
  const pool = open();
  const client = await runRequest(pool, async () => {
    const kept = await pool.connect();
    kept.release();
    return kept;
  });
  const over = { name: "UsageError", code: "REQUEST_OVER", fate: "not-sent", message: expect.stringContaining("pool.query") };
  expect(await failureOf(client.query("select 1"))).toMatchObject(over);
  expect(await new Promise((resolve) => client.query("select 1", resolve))).toMatchObject(over);
  expect(await new Promise((callback) => client.query({ text: "select 1", callback } as never))).toMatchObject(over);
  expect(await failureOf(client.query(new QueryStream("select 1")).toArray())).toMatchObject(over);
});

test("whoever waited for a connection goes on as the call it is", async () => {
  const caller = new AsyncLocalStorage<string>();
  const pool = open({ max: 1 });
  await runRequest(pool, async () => {
    const held = await pool.connect();
    const second = caller.run("second", async () => {
      const client = await pool.connect();
      client.release();
      return caller.getStore();
    });
    const third = caller.run("third", () => new Promise((resolve) => pool.query("select 1", () => resolve(caller.getStore()))));
    caller.run("first", () => held.release());
    expect(await Promise.all([second, third])).toEqual(["second", "third"]);
  });
});

test("takes options in pg's spelling, and a URL", async () => {
  const pool = createRequestPool({
    connectionString: urlAt(wire),
    application_name: "spelled",
    lock_timeout: 1_234,
    idle_in_transaction_session_timeout: 4_321,
    connectionTimeoutMillis: 0,
    ssl: false,
    maxUses: 5,
    types: { getTypeParser: () => (text: string) => `${text}!` } as never,
  });
  await runRequest(pool, async () => {
    const { rows } = await pool.query("select current_setting('lock_timeout') as l, current_setting('application_name') as a");
    expect(rows).toEqual([{ l: "1234ms!", a: "spelled!" }]);
  });
  const bare = createRequestPool(urlAt(wire));
  expect(await runRequest(bare, async () => (await bare.query("select 1 as one")).rows)).toEqual([{ one: 1 }]);
});

test.each([
  ["an address that is empty", { connectionString: "" }, "connectionString"],
  ["a listener that only pg's own pool has", { onConnect: () => {} }, "onConnect"],
  ["certificates", { ssl: { ca: "-----BEGIN CERTIFICATE-----" } }, "ssl"],
  ["a setting of no known name", { pooling: true }, "pooling"],
  ["a setting that is given twice", { application_name: "a", applicationName: "b" }, "applicationName"],
] as const)("refuses %s at once", (_, options, setting) => {
  expect(() => createRequestPool(options as object)).toThrow(expect.objectContaining({ name: "ConfigError", setting }));
});

test.each([
  ["a limit of pg's that Hyperdrive cannot keep", { target: "hyperdrive", lock_timeout: 5 }, "lock_timeout"],
  ["a limit of statements that Hyperdrive cannot keep", { target: "hyperdrive", statementTimeoutMs: 5 }, "statementTimeoutMs"],
  ["certificates that sockets in Workers do not know", { ca: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----" }, "ca"],
] as const)("refuses %s at its first call", async (_, options, setting) => {
  const failure = await failureOf(open(options).query("select 1"));
  expect(failure).toMatchObject({ name: "ConfigError", code: "INVALID_SETTING", setting });
});
