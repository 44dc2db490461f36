import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import type { Database, DatabaseOptions } from "../../../src/entry/node.ts";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, until, urlAt } from "../databases.ts";
import { pause, stopStopwatch, stopWallClock } from "../pool/passing-time.ts";
import { openRequest } from "./open-request.ts";

const look = "select $1::int as n";
const insert = "insert into request_pipelining values ($1) returning n";
const pausing = "insert into request_pipelining select request_pipelining_pause($1) returning n";
const twenty = Array.from({ length: 20 }, (_, n) => n);

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;
let pass: (ms: number) => void;

beforeAll(async () => {
  direct = await openDirect();
  // sleeps as long as the table says, so that one text is fast or slow without looking so
  await direct.query(`
    create table request_pipelining (n int);
    create table request_pipelining_sleep (seconds float8);
    insert into request_pipelining_sleep values (0);
    create function request_pipelining_pause(n int) returns int language plpgsql as
      'begin perform pg_sleep(seconds) from request_pipelining_sleep; return n; end';
  `);
});
beforeEach(async () => {
  // what nobody calls slow is fast: a machine that is busy makes it no slower
  pass = stopStopwatch();
  stopWallClock();
  wire = await startWire(inject("postgres"), { delayMs: 20 });
  await direct.query("truncate request_pipelining");
  return async () => {
    vi.restoreAllMocks();
    await wire.close();
  };
});
afterAll(async () => {
  await direct.query("drop table request_pipelining, request_pipelining_sleep; drop function request_pipelining_pause");
  await direct.end();
});

const numberOf = async (db: Database, text: string, n: number) => (await db.query<{ n: number }>(text, [n])).rows[0]?.n;
const sleepFor = (seconds: number) => direct.query("update request_pipelining_sleep set seconds = $1", [seconds]);
/** Backends that sleep in a statement of these tests: others run beside them. */
const sleeping = "from pg_stat_activity where wait_event = 'PgSleep' and query = $1";
const sleepers = async () => (await direct.query(`select 1 ${sleeping}`, [pausing])).rowCount ?? 0;
const killSleepers = () => direct.query(`select pg_terminate_backend(pid, 5000) ${sleeping}`, [pausing]);

/** A database that an earlier request has taught that these texts are fast. */
async function open({ texts = [look], ...options }: DatabaseOptions & { texts?: string[] } = {}): Promise<Database> {
  const db = openRequest({ url: urlAt(wire), max: 1, ...options });
  for (const text of texts) await runRequest(db, () => numberOf(db, text, -1));
  await direct.query("truncate request_pipelining");
  wire.reset();
  return db;
}

describe("fast calls at once in one request", () => {
  test("share the connection that is opened for them: one login and two round trips in place of twenty", async () => {
    await using db = await open({ max: 6 });
    const share = async () => expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
    const { connects } = db.stats();
    await runRequest(db, async () => {
      expect(await numberOf(db, look, 1)).toBe(1);
      wire.reset();
      await share();
      expect(wire.roundTrips()).toBeLessThanOrEqual(2);
    });
    await runRequest(db, share);
    expect(db.stats()).toMatchObject({ connects: connects + 2, pipelined: 38, discarded: 0 });
  });

  test("share it however long opening it takes", async () => {
    await using db = await open({ max: 6 });
    wire.onMessage(({ type }) => {
      if (type !== "startup") return;
      pass(5_000);
      pause(5_000);
    });
    const { connects } = db.stats();
    await runRequest(db, () => Promise.all(twenty.map((n) => numberOf(db, look, n))));
    expect(db.stats().connects).toBe(connects + 1);
  });

  test("of a text that was never seen are tried by one of them alone, and the others stand behind one another", async () => {
    await using db = openRequest({ url: urlAt(wire) });
    await runRequest(db, async () => {
      expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
      expect(db.stats()).toMatchObject({ connects: 1, pipelined: 18 });
    });
  });

  test("ten thousand of them are answered over one connection, each with its own", async () => {
    await using db = await open({ acquireTimeoutMs: 60_000, deadlineMs: 60_000 });
    const many = Array.from({ length: 10_000 }, (_, n) => n);
    const { connects, reuses } = db.stats();
    expect(await runRequest(db, () => Promise.all(many.map((n) => numberOf(db, look, n))))).toEqual(many);
    expect(db.stats()).toMatchObject({ connects: connects + 1, reuses: reuses + 9_999 });
    expect(wire.roundTrips()).toBeLessThan(1_000);
  });

  test("say so in their results, and are counted", async () => {
    await using db = await open();
    await runRequest(db, async () => {
      const [first, second] = await Promise.all([db.query(look, [1]), db.query(look, [2])]);
      expect(first.via).not.toHaveProperty("pipelined");
      expect(second.via).toMatchObject({ transport: "request", pipelined: true, reused: true, connectionId: first.via.connectionId });
    });
  });

  test("stand one behind the other with pipelining: false", async () => {
    await using db = openRequest({ url: urlAt(wire), max: 1, pipelining: false });
    await runRequest(db, async () => {
      await numberOf(db, look, 1);
      wire.reset();
      expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
      expect(wire.roundTrips()).toBe(20);
    });
    expect(db.stats().pipelined).toBe(0);
  });

  test("never share a connection with what is slow, or what may change it: that has one of its own", async () => {
    await using db = await open({ max: 6 });
    const { pipelined } = db.stats();
    await runRequest(db, async () => {
      const slow = db.query("select pg_sleep(0.2), $1::int as n", [1]);
      const changing = db.query("do 'begin end'");
      const held = db.session((session) => session.query("select pg_sleep(0.1)"));
      const [fast] = await Promise.all([db.query(look, [1]), slow, changing, held]);
      expect(fast.via).not.toHaveProperty("pipelined");
    });
    expect(db.stats().pipelined).toBe(pipelined);
  });

  test("go behind nothing that has been slow already: a lock may be waited for whose holder waits for them", async () => {
    await using db = await open({ max: 6, texts: [look, pausing] });
    await runRequest(db, async () => {
      await numberOf(db, look, 0);
      await sleepFor(10);
      const abort = new AbortController();
      const slow = failureOf(db.query(pausing, [1], { signal: abort.signal }));
      await until(async () => (await sleepers()) === 1);
      await sleepFor(0);
      pass(200);
      expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
      abort.abort();
      expect(await slow).toMatchObject({ code: "ABORTED", fate: "refused" });
    });
  });

  test("no more of them stand behind one another than are answered in the time that is fast", async () => {
    await using db = await open({ texts: [] });
    // that makes 2 of a login's three round trips, 4 that the server is busy with a statement, and 10 that is slow
    const end = wire.onMessage(({ type }) => {
      if (type === "Z") pass(6);
    });
    await runRequest(db, async () => {
      await numberOf(db, look, -1);
      end();
      const calls = Promise.all(twenty.map((n) => numberOf(db, look, n)));
      await setImmediate();
      expect(db.stats()).toMatchObject({ pipelined: 2, waiting: 17 });
      expect(await calls).toEqual(twenty);
    });
  });

  test("overtake nobody who needs a connection of its own", async () => {
    await using db = await open({ texts: [look, pausing] });
    await runRequest(db, async () => {
      const order: string[] = [];
      const note = (word: string) => () => void order.push(word);
      await numberOf(db, look, 0);
      await sleepFor(0.3);
      const calls = [numberOf(db, pausing, 1).then(note("before")), numberOf(db, look, 1).then(note("before"))];
      await until(async () => (await sleepers()) === 1);
      calls.push(db.transaction((tx) => tx.query("select 1")).then(note("transaction")), numberOf(db, look, 1).then(note("later")));
      await Promise.all(calls);
      await sleepFor(0);
      expect(order).toEqual(["before", "before", "transaction", "later"]);
    });
  });

  test("leave nothing that belongs to a request to the next", async () => {
    await using db = await open();
    const ids = await Promise.all(twenty.map(() => runRequest(db, () => Promise.all([db.query(look, [1]), db.query(look, [2])]))));
    expect(new Set(ids.map(([first]) => first.via.connectionId)).size).toBe(20);
    expect(ids.every(([first, second]) => first.via.connectionId === second.via.connectionId)).toBe(true);
  });
});

describe("the fate of each", () => {
  test("is true when the backend is killed: the head may have been done, and what stood behind it is done once", async () => {
    await using db = await open({ texts: [pausing, insert] });
    await runRequest(db, async () => {
      await numberOf(db, insert, 0);
      await sleepFor(10);
      const head = failureOf(numberOf(db, pausing, 1));
      const behind = [2, 3, 4].map((n) => numberOf(db, insert, n));
      await until(async () => (await sleepers()) === 1);
      await sleepFor(0);
      await killSleepers();
      expect(await head).toMatchObject({ code: "57P01", fate: "unknown" });
      expect(await Promise.all(behind)).toEqual([2, 3, 4]);
    });
    expect((await direct.query("select n from request_pipelining order by n")).rows.map(({ n }) => n)).toEqual([0, 2, 3, 4]);
    expect(db.stats()).toMatchObject({ retries: 3, discarded: 1 });
  });

  test("is unknown for every write when the connection is cut, and the request goes on over another", async () => {
    await using db = await open({ texts: [pausing, insert, look] });
    await runRequest(db, async () => {
      await sleepFor(10);
      const calls = [failureOf(numberOf(db, pausing, 1)), ...[2, 3].map((n) => failureOf(numberOf(db, insert, n)))];
      await until(async () => (await sleepers()) === 1);
      await sleepFor(0);
      wire.cut();
      for (const failure of calls) expect(await failure).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
      expect(await numberOf(db, look, 6)).toBe(6);
    });
    // its backend has not heard of it
    await killSleepers();
  });

  test("of a head that is given up is its own: the others are answered", async () => {
    await using db = await open({ texts: [pausing, insert, look] });
    await runRequest(db, async () => {
      await sleepFor(10);
      const abort = new AbortController();
      const head = failureOf(db.query(pausing, [1], { signal: abort.signal }));
      const behind = [2, 3, 4].map((n) => numberOf(db, insert, n));
      await until(async () => (await sleepers()) === 1);
      await sleepFor(0);
      abort.abort();
      expect(await head).toMatchObject({ code: "ABORTED", fate: "refused" });
      expect(await Promise.all(behind)).toEqual([2, 3, 4]);
      expect(wire.cancelRequests()).toBe(1);
      // a CancelRequest was out: nothing new is written there
      expect(await numberOf(db, look, 5)).toBe(5);
    });
    expect((await direct.query("select n from request_pipelining order by n")).rows.map(({ n }) => n)).toEqual([2, 3, 4]);
  });

  test("of one behind the head that is given up is unknown if it writes, and nobody else is disturbed", async () => {
    await using db = await open({ texts: [pausing, insert] });
    await runRequest(db, async () => {
      await sleepFor(0.5);
      const abort = new AbortController();
      const head = numberOf(db, pausing, 1);
      const given = failureOf(db.query(insert, [2], { signal: abort.signal }));
      const behind = numberOf(db, insert, 3);
      await until(async () => (await sleepers()) === 1);
      abort.abort();
      expect(await given).toMatchObject({ code: "ABORTED", fate: "unknown" });
      await sleepFor(0);
      expect(await Promise.all([head, behind])).toEqual([1, 3]);
      expect(wire.cancelRequests()).toBe(0);
    });
  });

  test("is not-sent for who is given up before there was a connection", async () => {
    await using db = await open();
    wire.hold();
    const given = failureOf(runRequest(db, () => db.query(look, [1], { deadlineMs: 50 })));
    expect(await given).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
    wire.resume();
  });
});
