import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { isWarmlineError } from "../../../src/entry/node.ts";
import { sharedPool, WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { openDirect, until, urlAt } from "../databases.ts";
import { stopStopwatch, stopWallClock } from "./passing-time.ts";
import { byClient, circular, type Failure, failing, manners, outcomeOf, pgQueries, shouting } from "./pg-corpus.ts";

const look = "select $1::int as n";
const twenty = Array.from({ length: 20 }, (_, n) => n);

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query(`
    create table pg_query (id int primary key, name text, at timestamptz, bytes bytea, tags text[], data jsonb, price numeric, big bigint);
    create function pg_query_pause(n int) returns int language plpgsql as 'begin perform pg_sleep(10); return n; end';
  `);
});
beforeEach(async () => {
  wire = await startWire(inject("postgres"));
  await direct.query("truncate pg_query");
  return () => wire.close();
});
afterAll(async () => {
  await direct.query("drop table pg_query; drop function pg_query_pause");
  await direct.end();
});

function open(options: WarmPoolOptions = {}): WarmPool & AsyncDisposable {
  const pool = new WarmPool({ url: urlAt(wire), max: 1, ...options });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => (pool.ending ? Promise.resolve() : pool.end()) });
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  return promise.then(
    () => expect.unreachable("It did not fail."),
    (error) => error,
  );
}

describe.each([...manners, ["a client", byClient] as const])("gives by %s what a pg.Pool gives", (_, ask) => {
  const own = (url: string) => new pg.Pool({ connectionString: url, max: 1, application_name: "warmline" });

  test.each(pgQueries)("%s", async (_name, ...args) => {
    const theirs = own(urlAt());
    // no cleaning between, so that what one leaves the other leaves
    await using ours = open({ url: urlAt() });
    for (let time = 0; time < 3; time++) {
      await direct.query("truncate pg_query; insert into pg_query (id, name) values (1, 'x')");
      const wanted = await outcomeOf(ask(theirs, args).catch((error) => Promise.reject(Object.assign(error, { fate: "refused" }))));
      await direct.query("truncate pg_query; insert into pg_query (id, name) values (1, 'x')");
      const given = await outcomeOf(ask(ours, args));
      expect(given).toEqual(wanted);
      for (const one of [given].flatMap((outcome) => (outcome as { result?: object }).result ?? []).flat())
        expect(one).toBeInstanceOf(pg.Result);
    }
    await theirs.end();
  });
});

describe("parsers", () => {
  test("are those of pg at the time of the query, and of its client", async () => {
    await using pool = open();
    const text = "select $1::int as n";
    for (let time = 0; time < 3; time++) await pool.query(text, [1]);
    const before = pg.types.getTypeParser(23);
    pg.types.setTypeParser(23, (read) => `${read}?`);
    expect((await pool.query(text, [1])).rows).toEqual([{ n: "1?" }]);
    pg.types.setTypeParser(23, before);
    expect((await pool.query(text, [1])).rows).toEqual([{ n: 1 }]);
    const client = await pool.connect();
    client.setTypeParser(23, (read) => `${read} of a client`);
    client.release();
    expect((await pool.query(text, [1])).rows).toEqual([{ n: "1 of a client" }]);
  });

  test("and modes of row may differ from query to query of one text", async () => {
    await using pool = open();
    for (let time = 0; time < 4; time++) {
      expect((await pool.query(look, [1])).rows).toEqual([{ n: 1 }]);
      expect((await pool.query({ text: look, values: [2], rowMode: "array" })).rows).toEqual([[2]]);
      expect((await pool.query({ text: look, values: [3], types: shouting } as pg.QueryConfig)).rows).toEqual([{ n: "3!" }]);
    }
  });

  test("a result is its caller's own", async () => {
    await using pool = open();
    for (let time = 0; time < 3; time++) await pool.query(look, [1]);
    const first = await pool.query(look, [1]);
    Object.assign(first.fields[0] as object, { name: "changed" });
    expect((await pool.query(look, [1])).fields[0]?.name).toBe("n");
  });
});

describe("names", () => {
  test("are given to a text that comes again, whatever its caller calls it", async () => {
    await using pool = open();
    const query = { name: "mine", text: "select $1::int as mine", values: [1] };
    for (let time = 0; time < 3; time++) await pool.query(query);
    const { rows } = await pool.query("select name, statement from pg_prepared_statements");
    expect(rows).toEqual([{ name: expect.stringContaining("warmline_"), statement: query.text }]);
  });

  test("stand for one text each", async () => {
    await using pool = open();
    await pool.query({ name: "mine", text: "select 1" });
    const error = await failureOf(pool.query({ name: "mine", text: "select 2" }));
    expect(error).toMatchObject({
      message: "Prepared statements must be unique - 'mine' was used for a different statement",
      fate: "not-sent",
    });
    expect((await pool.query({ name: "mine", text: "select 1" })).rowCount).toBe(1);
  });

  test("are pg's own with prepare: false, and behind a pooler that keeps none", async () => {
    for (const options of [{ prepare: false }, { target: "pgbouncer" }] as const) {
      await using pool = open({ ...options, max: 1 });
      for (let time = 0; time < 3; time++) await pool.query("select $1::int as n", [1]);
      expect((await pool.query("select name from pg_prepared_statements")).rows).toEqual([]);
      await pool.query({ name: "mine", text: "select 1" });
      expect((await pool.query("select name from pg_prepared_statements")).rows).toEqual([{ name: "mine" }]);
    }
  });

  test("survive a table that changes", async () => {
    await using pool = open();
    for (let time = 0; time < 3; time++) await pool.query("select * from pg_query where id = $1", [1]);
    await direct.query("alter table pg_query add more int");
    expect((await pool.query("select * from pg_query where id = $1", [1])).fields.at(-1)?.name).toBe("more");
    await direct.query("alter table pg_query drop more");
    expect((await pool.query("select * from pg_query where id = $1", [1])).fields.at(-1)?.name).toBe("big");
  });
});

describe("at once on one connection", () => {
  // what nobody calls slow is fast: on a busy machine, too
  beforeAll(() => {
    stopWallClock();
    stopStopwatch();
    return () => void vi.restoreAllMocks();
  });

  const numberOf = async (pool: pg.Pool, n: number) => (await pool.query(look, [n])).rows[0]?.n;

  test("share it: two round trips in place of twenty", async () => {
    await using pool = open();
    await pool.query(look, [1]);
    wire.reset();
    expect(await Promise.all(twenty.map((n) => numberOf(pool, n)))).toEqual(twenty);
    expect(wire.roundTrips()).toBeLessThanOrEqual(2);
    expect(pool.state.connects).toBe(1);
  });

  test("share it where texts have no values, and where a handle shares its pool", async () => {
    await using pool = open();
    await pool.query("select 1 as n");
    wire.reset();
    await Promise.all(twenty.map(() => pool.query("select 1 as n")));
    expect(wire.roundTrips()).toBeLessThanOrEqual(2);

    const handle = sharedPool({ url: urlAt(wire), max: 1, name: "pg-query" });
    await handle.query(look, [1]);
    wire.reset();
    expect(await Promise.all(twenty.map((n) => numberOf(handle, n)))).toEqual(twenty);
    expect(wire.roundTrips()).toBeLessThanOrEqual(2);
    await handle.end();
  });

  test("stand one behind the other with pipelining: false, and behind a pooler", async () => {
    for (const options of [{ pipelining: false }, { target: "pgbouncer" }] as const) {
      await using pool = open(options);
      for (let time = 0; time < 3; time++) await numberOf(pool, 1);
      wire.reset();
      expect(await Promise.all(twenty.map((n) => numberOf(pool, n)))).toEqual(twenty);
      expect(wire.roundTrips()).toBe(20);
    }
  });

  test.each([
    "set application_name = 'state'",
    "listen pg_query",
    "begin",
    "select set_config('app.who', 'a', false)",
    "select pg_try_advisory_lock(1)",
    "do 'begin end'",
    "create temp table if not exists pg_query_temp (n int)",
    "select 1; select 2",
  ])("nothing shares with what may leave state behind: %s", async (text) => {
    await using pool = open();
    await pool.query(look, [1]);
    for (let time = 0; time < 4; time++) await pool.query(text);
    const { pipelined } = pool.state;
    await Promise.all([1, 2, 3].map(() => pool.query(text)));
    expect(pool.state.pipelined).toBe(pipelined);
  });

  test("nothing shares with set_config that has values", async () => {
    await using pool = open();
    const text = "select set_config('app.who', $1, false)";
    for (let time = 0; time < 4; time++) await pool.query(text, ["a"]);
    await Promise.all(["a", "b", "c"].map((name) => pool.query(text, [name])));
    expect(pool.state.pipelined).toBe(0);
  });

  test("an error is that of one call alone, and the connection stays", async () => {
    await using pool = open();
    const divide = "select 1 / $1::int as n";
    await pool.query(divide, [1]);
    const answers = await Promise.allSettled([1, 0, 1, 0, 1].map((n) => pool.query(divide, [n])));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
    for (const answer of answers) if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "22012", fate: "refused" });
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });
});

describe("what was begun and left open", () => {
  test("is rolled back before anybody else has the connection", async () => {
    await using pool = open();
    await pool.query("begin; insert into pg_query (id) values (7)");
    expect((await pool.query("select count(*)::int as n from pg_query")).rows).toEqual([{ n: 0 }]);
    await pool.query("begin");
    await pool.query("insert into pg_query (id) values (8)");
    expect((await direct.query("select id from pg_query")).rows).toEqual([{ id: 8 }]);
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("settings stay on their connection", async () => {
    await using pool = open();
    await pool.query("set app.who = 'a'");
    expect((await pool.query("select current_setting('app.who') as who")).rows).toEqual([{ who: "a" }]);
  });
});

describe("the fate", () => {
  test("is refused, with pg's own error, where the server said no", async () => {
    await using pool = open();
    for (const [text, values] of [
      ["selec", undefined],
      ["selec", [1]],
      ["insert into pg_query (id) values (1), (1)", undefined],
      ["insert into pg_query (id) values (1); select 1/0", undefined],
    ] as const) {
      const error = await failureOf(pool.query(text, values && [...values]));
      expect(error).toBeInstanceOf(pg.DatabaseError);
      expect(error).toMatchObject({ fate: "refused" });
      expect(error.stack).toContain("pg-query.test");
    }
    expect((await direct.query("select 1 from pg_query")).rowCount).toBe(0);
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("is unknown where part of it may stay", async () => {
    await using pool = open();
    const error = await failureOf(pool.query("begin; insert into pg_query (id) values (1); commit; select 1/0"));
    expect(error).toMatchObject({ code: "22012", fate: "unknown" });
    expect((await direct.query("select 1 from pg_query")).rowCount).toBe(1);
  });

  test.each([
    ["with values", "insert into pg_query (id) select pg_query_pause($1)", [1]],
    ["without", "insert into pg_query (id) select pg_query_pause(1)", undefined],
  ])("is unknown when the connection is cut, %s, and the next call has another", async (_, text, values) => {
    await using pool = open();
    const failure = failureOf(pool.query(text, values));
    // those of other tests sleep, too
    const sleeping = "from pg_stat_activity where wait_event = 'PgSleep' and query = $1";
    await until(async () => (await direct.query(`select 1 ${sleeping}`, [text])).rowCount === 1);
    wire.cut();
    const error = await failure;
    expect(error).toMatchObject({ message: expect.stringMatching(/Connection terminated|ECONNRESET/), fate: "unknown" });
    expect(isWarmlineError(error)).toBe(false);
    await direct.query(`select pg_terminate_backend(pid, 5000) ${sleeping}`, [text]);
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(pool.state).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("is unknown when the backend is killed", async () => {
    await using pool = open();
    const error = await failureOf(pool.query("select pg_terminate_backend(pg_backend_pid())"));
    expect(error).toMatchObject({ code: "57P01", fate: "unknown", severity: "FATAL" });
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("is not-sent where there was no connection, after end, and for a value that cannot be prepared", async () => {
    await using pool = open({ acquireTimeoutMs: 50 });
    const client = await pool.connect();
    expect(await failureOf(pool.query(look, [1]))).toMatchObject({ code: "ACQUIRE_TIMEOUT", fate: "not-sent" });
    client.release();
    expect(await failureOf(pool.query(look, [circular]))).toMatchObject({ message: /circular/, fate: "not-sent" });
    for (const config of [{}, { text: 5 }, { text: undefined, values: [1] }, Object("select 1")]) {
      expect(await failureOf(pool.query(config as never))).toMatchObject({ message: /either text or a name/, fate: "not-sent" });
    }
    await pool.end();
    expect(await failureOf(pool.query(look, [1]))).toMatchObject({ code: "CLOSED", fate: "not-sent" });
    const nobody = new WarmPool({ url: urlAt({ port: 1 }) });
    expect(await failureOf(nobody.query("select 1"))).toMatchObject({ fate: "not-sent" });
    await nobody.end();
  });

  test("is applied where a parser failed, whose error is handed on", async () => {
    await using pool = open();
    const error = await failureOf(pool.query({ text: look, values: [1], types: failing } as never));
    expect(error).toMatchObject({ message: "a parser's own", fate: "applied" });
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });
});

describe("a callback", () => {
  test("is called once, not before query has returned, behind release, in the context of its caller", async () => {
    await using pool = open();
    const request = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    pool.on("acquire", () => seen.push("acquire"));
    pool.on("release", () => seen.push("release"));
    const called = (name: string) =>
      new Promise<void>((resolve) => {
        request.run(name, () =>
          pool.query("select 1 as one", (error: unknown, result: unknown) => {
            seen.push([request.getStore(), error, (result as pg.QueryResult).rows]);
            resolve();
          }),
        );
        seen.push(`asked ${name}`);
      });
    await called("a");
    await called("b");
    const answered = (name: string) => [name, undefined, [{ one: 1 }]];
    expect(seen).toEqual(["asked a", "acquire", "release", answered("a"), "acquire", "asked b", "release", answered("b")]);
  });

  test("that throws is as uncaught as from pg, and harms nobody", async () => {
    await using pool = open();
    const thrown: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error));
    try {
      pool.query("select 1", () => {
        throw new Error("mine");
      });
      await until(() => thrown.length > 0);
      await delay(5);
      expect(thrown).toMatchObject([{ message: "mine" }]);
      expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    }
  });
});

test("a connect that somebody has put in the place of the pool's is asked", async () => {
  await using pool = open();
  const { connect } = pool;
  let asked = 0;
  pool.connect = ((...args: unknown[]) => {
    asked++;
    return Reflect.apply(connect, pool, args);
  }) as typeof connect;
  expect((await pool.query(look, [1])).rows).toEqual([{ n: 1 }]);
  expect(asked).toBe(1);
});

describe("a client that is held", () => {
  test("sends by a name what stands alone, and answers what was asked at once in its order", async () => {
    await using pool = open();
    const client = await pool.connect();
    const insert = "insert into pg_query (id) values ($1) returning id";
    for (let id = 1; id < 4; id++) await client.query(insert, [id]);
    expect((await client.query("select statement from pg_prepared_statements")).rows).toEqual([{ statement: insert }]);
    const answers = await Promise.all([
      client.query("begin"),
      client.query(insert, [4]),
      client.query("select count(*)::int as n from pg_query"),
      client.query(insert, [5]),
      client.query("select count(*)::int as n from pg_query where id < $1", [100]),
      client.query("rollback"),
      client.query("select count(*)::int as n from pg_query where id < $1", [100]),
    ]);
    expect(answers.map(({ command, rows }) => [command, ...rows.map(Object.values)].flat())).toEqual([
      ["BEGIN"],
      ["INSERT", 4],
      ["SELECT", 4],
      ["INSERT", 5],
      ["SELECT", 5],
      ["ROLLBACK"],
      ["SELECT", 3],
    ]);
    client.release();
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("lets nothing pass what was asked before, whichever way either goes", async () => {
    await using pool = open();
    const client = await pool.connect();
    const insert = "insert into pg_query (id) values ($1)";
    for (let time = 0; time < 3; time++) {
      await client.query("begin");
      await Promise.all([client.query(insert, [1]), client.query(insert, [2]), client.query("rollback")]);
      expect((await client.query("select count(*)::int as n from pg_query")).rows).toEqual([{ n: 0 }]);
    }
    client.release();
  });

  test("keeps that order where the server refuses a name: what was asked behind waits for what is sent once more", async () => {
    await using pool = open();
    const client = await pool.connect();
    const insert = "insert into pg_query (id) values ($1) returning id";
    const count = "select count(*)::int as n from pg_query";
    for (let id = 1; id < 4; id++) await client.query(insert, [id]);
    await client.query("deallocate all");
    const asked = [
      client.query(insert, [4]),
      client.query(count),
      client.query(insert, [5]),
      client.query("begin"),
      client.query(insert, [6]),
      client.query("rollback"),
      client.query(count),
    ];
    const answers = await Promise.all(asked);
    expect(answers.flatMap(({ rows: [row] }) => Object.values(row ?? {}))).toEqual([4, 4, 5, 6, 5]);
    client.release();
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("is answered where a listener of drain throws", async () => {
    await using pool = open();
    const client = await pool.connect();
    await client.query("select 1");
    const thrown: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error));
    try {
      client.once("drain", () => {
        throw new Error("mine");
      });
      expect((await client.query(look, [1])).rows).toEqual([{ n: 1 }]);
      await until(() => thrown.length > 0);
      expect(thrown).toMatchObject([{ message: "mine" }]);
      client.release();
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    }
  });

  test("calls back who is named in the config, as pg does", async () => {
    await using pool = open();
    const client = await pool.connect();
    for (const values of [[1], undefined]) {
      const text = values ? look : "select 1 as n";
      const rows = await new Promise((resolve) => {
        const callback = (_: unknown, result: pg.QueryResult) => resolve(result.rows);
        expect(client.query({ text, values, callback } as pg.QueryConfig)).toBeUndefined();
      });
      expect(rows).toEqual([{ n: 1 }]);
    }
    client.release();
  });

  test("goes on in a transaction, and behind one that failed", async () => {
    await using pool = open();
    const client = await pool.connect();
    await client.query("begin");
    expect(await failureOf(client.query("select 1 / $1::int", [0]))).toMatchObject({ code: "22012", fate: "refused" });
    expect(await failureOf(client.query("select $1::int", [1]))).toMatchObject({ code: "25P02", fate: "refused" });
    expect((await client.query({ text: "commit", queryMode: "extended" } as pg.QueryConfig)).command).toBe("ROLLBACK");
    expect((await client.query(look, [1])).rows).toEqual([{ n: 1 }]);
    client.release();
    expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("is not used again once nobody knows what was done on it", async () => {
    await using pool = open();
    const client = await pool.connect();
    const error = await failureOf(client.query({ text: "do 'begin commit; perform 1 / 0; end'", queryMode: "extended" } as pg.QueryConfig));
    expect(error).toMatchObject({ code: "22012", fate: "unknown" });
    // whoever holds it may go on
    expect((await client.query(look, [1])).rows).toEqual([{ n: 1 }]);
    client.release();
    expect((await pool.query(look, [1])).rows).toEqual([{ n: 1 }]);
    expect(pool.state).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("keeps the names that its callers give", async () => {
    await using pool = open();
    const client = await pool.connect();
    await client.query({ name: "mine", text: "select $1::int", values: [1] });
    expect((await client.query("select name from pg_prepared_statements")).rows).toEqual([{ name: "mine" }]);
    client.release();
  });
});
