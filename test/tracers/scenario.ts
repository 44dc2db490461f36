import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { createDatabase, sql, WarmlineError } from "warmline";
import { sharedPool, WarmPool } from "warmline/pool";
import { type Expected, SECRET, type Sent, type Tracer } from "./tracer.ts";

/** Longer than a connection is trusted without a question. */
const PAUSE_MS = 1_100;

const INSERT = "insert into kept (step, secret) values ($1, $2)";
const COUNT = "select count(*)::int as n from kept where step = $1";
const SLEEP = "select pg_sleep($1)";
const PID = "select pg_backend_pid() as pid";
const KILL = "select pg_terminate_backend($1)";
/** What undoes what a session may have set, in one text, behind its end. */
const RESET = [
  "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all()",
  "DISCARD TEMP; DISCARD SEQUENCES; SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql",
].join("; ");
const FAREWELL = "select pg_terminate_backend(pg_backend_pid())";

/**
 * Everything a database and a pool do, each step as a request of its own, with the right answer or error. Returns the statements that were
 * sent by step; rejects at the first wrong answer.
 */
export async function runScenario(tracer: Tracer, url: string): Promise<Expected> {
  const expected = new Map<string, Sent>();
  const step = async (name: string, sent: readonly string[] | Sent, work: () => Promise<void>) => {
    expected.set(name, "texts" in sent ? sent : { texts: sent, failing: [] });
    await tracer.request(name, work).catch((error) => {
      throw new Error(`${name}: ${error.stack}`, { cause: error });
    });
  };
  const db = createDatabase({ url, max: 4 });
  const killer = createDatabase({ url, max: 1, name: "killer" });
  const rows = async (name: string) => (await db.query<{ n: number }>(COUNT, [name])).rows[0]?.n;

  const clean = async () => {
    for (let stats = db.stats(); stats.idle < stats.total; stats = db.stats()) await delay(5);
  };

  await step("script", ["create table kept (step text, secret text); create unique index on kept (step, secret)", RESET], async () => {
    await db.script("create table kept (step text, secret text); create unique index on kept (step, secret)");
    await clean();
  });
  await step("query", ["select $1::text as said"], async () => {
    assert.deepEqual((await db.query("select $1::text as said", [SECRET])).rows, [{ said: SECRET }]);
  });
  await step("insert", [INSERT, COUNT], async () => {
    assert.equal((await db.query(INSERT, ["insert", SECRET])).rowCount, 1);
    assert.equal(await rows("insert"), 1);
  });
  await step("read only", [`BEGIN READ ONLY; ${COUNT}; COMMIT`], async () => {
    assert.equal((await db.query<{ n: number }>(COUNT, ["insert"], { readOnly: true })).rows[0]?.n, 1);
  });
  await step("batch", [`BEGIN; ${INSERT}; ${INSERT}; COMMIT`, COUNT], async () => {
    const insert = (value: string) => sql`insert into kept (step, secret) values (${"batch"}, ${value})`;
    const given = await db.batch([insert(SECRET), insert(`${SECRET} too`)]);
    assert.deepEqual(
      given.map(({ rowCount }) => rowCount),
      [1, 1],
    );
    assert.equal(await rows("batch"), 2);
  });
  await step("commit", [`BEGIN; ${INSERT}`, COUNT, "COMMIT", COUNT], async () => {
    const seen = await db.transaction(async (tx) => {
      await tx.query(INSERT, ["commit", SECRET]);
      return (await tx.query<{ n: number }>(COUNT, ["commit"])).rows[0]?.n;
    });
    assert.deepEqual([seen, await rows("commit")], [1, 1]);
  });
  await step("all at once in a transaction", [`BEGIN; ${COUNT}`, COUNT, COUNT, "COMMIT"], async () => {
    await db.transaction((tx) => Promise.all([1, 2, 3].map(() => tx.query(COUNT, ["commit"]))));
  });
  await step("rollback", [`BEGIN; ${INSERT}`, "ROLLBACK", COUNT], async () => {
    const stop = new Error("stop");
    const work = db.transaction(async (tx) => {
      await tx.query(INSERT, ["rollback", SECRET]);
      throw stop;
    });
    assert.equal(await work.catch((error) => error), stop);
    assert.equal(await rows("rollback"), 0);
  });
  await step("session", ["select current_user as who", "select current_schema as place", RESET], async () => {
    const given = await db.session(async (session) => [
      await session.query("select current_user as who"),
      await session.query("select current_schema as place"),
    ]);
    assert.deepEqual(
      given.map((result) => result.rows),
      [[{ who: "postgres" }], [{ place: "public" }]],
    );
    await clean();
  });
  await step("refused", allFail("select $1::int as refused", INSERT, "selec"), async () => {
    await fails(() => db.query("select $1::int as refused", [SECRET]), ["22P02", "refused"]);
    await fails(() => db.query(INSERT, ["insert", SECRET]), ["23505", "refused"]);
    await fails(() => db.query("selec"), ["42601", "refused"]);
  });
  await step("deadline", allFail(SLEEP), () => fails(() => db.query(SLEEP, [30], { deadlineMs: 300 }), ["DEADLINE_EXCEEDED", "refused"]));
  await step("lost", allFail(FAREWELL, `BEGIN; ${FAREWELL}`), async () => {
    await fails(() => db.query(FAREWELL), ["57P01"]);
    await fails(() => db.transaction((tx) => tx.query(FAREWELL)), ["57P01"]);
  });
  await step("lost between", [PID, KILL], async () => {
    await db.session(async (lost) => {
      const pid = (await lost.query<{ pid: number }>(PID)).rows[0]?.pid;
      await killer.query(KILL, [pid]);
      await delay(50);
      await fails(() => lost.query(COUNT, ["commit"]), ["CONNECTION_LOST"]);
    });
  });
  await killer.close();
  await Promise.all(
    Array.from({ length: 12 }, (_, number) =>
      step(`at once ${number}`, [INSERT, COUNT], async () => {
        await db.query(INSERT, [`at once ${number}`, SECRET]);
        assert.equal(await rows(`at once ${number}`), 1);
      }),
    ),
  );

  // after a pause the connection is asked: with the statement in one write, or by itself before it
  await db.release();
  await db.warmUp();
  await delay(PAUSE_MS);
  await step("insert after a pause", ["SYNC", INSERT, COUNT], async () => {
    await db.query(INSERT, ["insert after a pause", SECRET]);
    assert.equal(await rows("insert after a pause"), 1);
  });
  await delay(PAUSE_MS);
  await step("transaction after a pause", [`BEGIN; ${INSERT}`, "COMMIT", COUNT], async () => {
    await db.transaction((tx) => tx.query(INSERT, ["transaction after a pause", SECRET]));
    assert.equal(await rows("transaction after a pause"), 1);
  });
  await delay(PAUSE_MS);
  await step("read after a pause", ["select current_user as again", `BEGIN READ ONLY; ${COUNT}; COMMIT`], async () => {
    assert.deepEqual((await db.query("select current_user as again", [], { idempotent: true })).rows, [{ again: "postgres" }]);
    assert.equal((await db.query<{ n: number }>(COUNT, ["commit"], { readOnly: true })).rows[0]?.n, 1);
  });
  await delay(PAUSE_MS);
  await step("refused after a pause", allFail("select $1::int as refused"), () =>
    fails(() => db.query("select $1::int as refused", [SECRET], { idempotent: true }), ["22P02", "refused"]),
  );
  const { total, idle, waiting } = db.stats();
  assert.deepEqual({ total, idle, waiting }, { total: 1, idle: 1, waiting: 0 });

  const shared = sharedPool({ url, max: 4 });
  await step("the shared pool", ["select $1::text as shared"], async () => {
    assert.deepEqual((await shared.query("select $1::text as shared", [SECRET])).rows, [{ shared: SECRET }]);
  });
  await db.close();
  await shared.end();

  const pool = new WarmPool({ connectionString: url, max: 2 });
  await step("pool", { texts: ["select $1::text as pooled", "select current_user as called", "selec"], failing: ["selec"] }, async () => {
    assert.deepEqual((await pool.query("select $1::text as pooled", [SECRET])).rows, [{ pooled: SECRET }]);
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly rows: readonly unknown[] }>();
    pool.query("select current_user as called", (error, result) => (error ? reject(error) : resolve(result)));
    assert.deepEqual((await promise).rows, [{ called: "postgres" }]);
    await assert.rejects(pool.query("selec"), { code: "42601" });
  });
  await step("pool.connect", ["begin", INSERT, "commit", COUNT], async () => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query(INSERT, ["pool.connect", SECRET]);
    await client.query("commit");
    client.release();
    assert.deepEqual((await pool.query(COUNT, ["pool.connect"])).rows, [{ n: 1 }]);
  });
  await step("left open", ["begin", "ROLLBACK"], async () => {
    const client = await pool.connect();
    await client.query("begin");
    client.release();
    while (pool.idleCount < pool.totalCount) await delay(5);
  });
  await delay(PAUSE_MS);
  await step("pool after a pause", ["SYNC", "select current_user as fresh"], async () => {
    assert.deepEqual((await pool.query("select current_user as fresh")).rows, [{ fresh: "postgres" }]);
  });
  assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [1, 1, 0]);
  await pool.end();
  return expected;
}

function allFail(...texts: readonly string[]): Sent {
  return { texts, failing: texts };
}

async function fails(work: () => Promise<unknown>, [code, fate]: readonly [code: string, fate?: string]): Promise<void> {
  const error = await work().then(
    () => assert.fail("It was done."),
    (failure) => failure,
  );
  assert.ok(error instanceof WarmlineError, String(error.stack));
  assert.equal(error.code, code, error.stack);
  if (fate !== undefined) assert.equal(error.fate, fate, error.stack);
}
