import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import type { Database } from "../../../src/entry/node.ts";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";

const look = "select $1::int as n";
/** So that answers come one by one: whoever has one sends the next while others are on their way. */
const brief = "select $1::int as n, pg_sleep(0.002) is null";
const insert = "insert into pipelining_pooler values ($1) returning n";
const pausing = "insert into pipelining_pooler select pipelining_pooler_pause($1) returning n";
/** Calls that leave on a connection before it has to be still for a moment. */
const CALLS_IN_A_ROW = 20;
const many = (count: number) => Array.from({ length: count }, (_, n) => n);

const missing = findPgBouncer() === undefined;
if (missing) console.warn("*** SKIPPED: several calls in flight through PgBouncer. Install it with: apt-get install pgbouncer ***");

describe.runIf(!missing)("through PgBouncer with a single link", () => {
  let direct: Awaited<ReturnType<typeof openDirect>>;
  let bouncer: PgBouncer;
  let wire: Wire;
  let db: Database;

  beforeAll(async () => {
    direct = await openDirect();
    // sleeps as long as the table says, so that one text is fast or slow without looking so
    await direct.query(`
      create table pipelining_pooler (n int);
      create table pipelining_pooler_sleep (seconds float8);
      insert into pipelining_pooler_sleep values (0);
      create function pipelining_pooler_pause(n int) returns int language plpgsql as
        'begin perform pg_sleep(seconds) from pipelining_pooler_sleep; return n; end';
    `);
    bouncer = await startPgBouncer(inject("postgres"), { default_pool_size: "1", query_wait_timeout: "1", server_login_retry: "0" });
    // what is fast is told by the distance: a machine that is busy looks no slower for it
    wire = await startWire(bouncer, { delayMs: 20 });
  });
  beforeEach(async () => {
    db = await open(openPool({ url: urlAt(wire), target: "pgbouncer", max: 1 }), [look, insert, pausing]);
    await direct.query("truncate pipelining_pooler");
  });
  afterEach(() => db.close());
  afterAll(async () => {
    await wire.close();
    await bouncer.stop();
    await direct.query("drop table pipelining_pooler, pipelining_pooler_sleep; drop function pipelining_pooler_pause");
    await direct.end();
  });

  const numberOf = async (db: Database, text: string, n: number) => (await db.query<{ n: number }>(text, [n])).rows[0]?.n;
  const sleepFor = (seconds: number) => direct.query("update pipelining_pooler_sleep set seconds = $1", [seconds]);
  /** Backends that sleep in a statement of these tests: others run beside them. */
  const sleeping = "from pg_stat_activity where wait_event = 'PgSleep' and query = $1";
  const sleepers = async () => (await direct.query(`select 1 ${sleeping}`, [pausing])).rowCount ?? 0;
  const killSleepers = () => direct.query(`select pg_terminate_backend(pid, 5000) ${sleeping}`, [pausing]);
  const written = async () => (await direct.query("select n from pipelining_pooler order by n")).rows.map(({ n }) => n);

  /** Teaches a database these texts. */
  async function open(db: Database, texts: readonly string[]): Promise<Database> {
    const isShared = async (text: string) => {
      const before = db.stats().pipelined;
      await Promise.all([numberOf(db, text, -1), numberOf(db, text, -1)]);
      return db.stats().pipelined > before;
    };
    for (const text of texts) await until(() => isShared(text));
    return db;
  }

  /** The most calls that were written to it before everything was answered. */
  function mostInARow(): () => number {
    let inFlight = 0;
    let row = 0;
    let most = 0;
    wire.onMessage(({ from, type }) => {
      if (from === "client" && type === "S") {
        row = inFlight++ === 0 ? 1 : row + 1;
        most = Math.max(most, row);
      } else if (from === "server" && type === "Z" && inFlight > 0) inFlight--;
    });
    return () => most;
  }

  /** Makes many calls at once, until they have shared as far as they may: on a busy machine a text turns slow for a while. */
  async function shareFully(db: Database): Promise<void> {
    const most = mostInARow();
    await until(async () => {
      expect(await Promise.all(many(100).map((n) => numberOf(db, look, n)))).toEqual(many(100));
      expect(most()).toBeLessThanOrEqual(CALLS_IN_A_ROW);
      return most() === CALLS_IN_A_ROW;
    });
  }

  test("calls at once share a connection, which is still after every twenty of them", async () => {
    await shareFully(db);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("calls of one request do likewise", async () => {
    await using requests = openRequest({ url: urlAt(wire), target: "pgbouncer", max: 1 });
    await runRequest(requests, async () => {
      await open(requests, [look]);
      await shareFully(requests);
    });
  });

  test("another client is not starved by callers who never stop", async () => {
    await using other = await openDirect(urlAt(bouncer));
    await open(db, [brief]);
    let over = false;
    let answered = 0;
    const { pipelined } = db.stats();
    const callers = many(50).map(async (n) => {
      for (; !over; answered++) expect(await numberOf(db, brief, n)).toBe(n);
    });
    await until(() => answered > 100);
    for (let time = 0; time < 10; time++) {
      const before = answered;
      expect((await other.query(look, [time])).rows).toEqual([{ n: time }]);
      // those on their way, and those that left while it was answered
      expect(answered - before).toBeLessThanOrEqual(2 * CALLS_IN_A_ROW);
    }
    over = true;
    await Promise.all(callers);
    expect(db.stats().pipelined).toBeGreaterThan(pipelined);
  });

  test("of five in flight whose link is killed under the second, the first is answered and what may have been done is unknown", async () => {
    await sleepFor(10);
    const first = numberOf(db, insert, 1);
    const second = failureOf(numberOf(db, pausing, 2));
    const behind = [3, 4].map((n) => failureOf(numberOf(db, insert, n)));
    const read = db.query(look, [5], { idempotent: true });
    await until(async () => (await sleepers()) === 1);
    await sleepFor(0);
    await killSleepers();
    expect(await first).toBe(1);
    // a pooler's word proves nothing of the server behind it
    expect(await second).toMatchObject({ fate: "unknown", retryable: false });
    for (const failure of behind) expect(await failure).toMatchObject({ fate: "unknown", retryable: false });
    expect(await written()).toEqual([1]);
    expect((await read).rows).toEqual([{ n: 5 }]);
    expect(await numberOf(db, insert, 6)).toBe(6);
  });

  test("where the pooler has no link to give, none is done, and none is said to be", async () => {
    await using other = await openDirect(urlAt(bouncer));
    await other.query("begin");
    await other.query("select 1");
    const failures = many(5).map((n) => failureOf(numberOf(db, insert, n)));
    for (const failure of failures) expect(await failure).toMatchObject({ code: "08P01", fate: "unknown", retryable: false });
    await other.query("commit");
    expect(await written()).toEqual([]);
    expect(await numberOf(db, insert, 6)).toBe(6);
  });

  test("a head that is given up is cancelled at the server, and the others are answered", async () => {
    await sleepFor(10);
    const abort = new AbortController();
    const head = failureOf(db.query(pausing, [1], { signal: abort.signal }));
    const behind = [2, 3, 4].map((n) => numberOf(db, insert, n));
    await until(async () => (await sleepers()) === 1);
    await sleepFor(0);
    abort.abort();
    expect(await head).toMatchObject({ code: "ABORTED", fate: "refused" });
    expect(await Promise.all(behind)).toEqual([2, 3, 4]);
    expect(await written()).toEqual([2, 3, 4]);
  });
});
