import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import type { Database } from "../../../src/entry/node.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { stopStopwatch, stopWallClock } from "./passing-time.ts";

const look = "select $1::int as n";
const insert = "insert into pipelining values ($1) returning n";
const twenty = Array.from({ length: 20 }, (_, n) => n);

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;
let pass: (ms: number) => void;

beforeAll(async () => {
  direct = await openDirect();
  // sleeps as long as the table says, so that one text is fast or slow without looking so
  await direct.query(`
    create table pipelining (n int);
    create table pipelining_sleep (seconds float8);
    insert into pipelining_sleep values (0);
    create function pipelining_pause(n int) returns int language plpgsql as
      'begin perform pg_sleep(seconds) from pipelining_sleep; return n; end';
  `);
});
beforeEach(async () => {
  // what nobody calls slow is fast, and what was used a moment ago is not asked: a machine that is busy changes neither
  pass = stopStopwatch();
  stopWallClock();
  wire = await startWire(inject("postgres"), { delayMs: 20 });
  await direct.query("truncate pipelining");
  return async () => {
    vi.restoreAllMocks();
    await wire.close();
  };
});
afterAll(async () => {
  await direct.query("drop table pipelining, pipelining_sleep; drop function pipelining_pause");
  await direct.end();
});

/** A database of few connections that knows that these texts are fast. */
async function open({
  max = 1,
  texts = [look],
  ...options
}: {
  max?: number;
  texts?: string[];
  pipelining?: boolean;
} = {}): Promise<Database> {
  const db = openPool({ url: urlAt(wire), max, ...options });
  for (const text of texts) await db.query(text, [-1]);
  await direct.query("truncate pipelining");
  return db;
}
async function isShared(db: Database, text: string): Promise<boolean> {
  const before = db.stats().pipelined;
  await Promise.all([numberOf(db, text, -1), numberOf(db, text, -1)]);
  return db.stats().pipelined > before;
}
const numberOf = async (db: Database, text: string, n: number) => (await db.query<{ n: number }>(text, [n])).rows[0]?.n;
const sleepFor = (seconds: number) => direct.query("update pipelining_sleep set seconds = $1", [seconds]);
/** Backends that sleep in a statement of these tests: others run beside them. */
const sleeping = "from pg_stat_activity where wait_event = 'PgSleep' and query like '% pipelining_pause(%'";
const sleepers = async () => (await direct.query(`select 1 ${sleeping}`)).rowCount ?? 0;
const endSleepers = () => direct.query(`select pg_terminate_backend(pid, 5000) ${sleeping}`);

describe("fast calls at once on one connection", () => {
  test("take two round trips in place of twenty, and each has its own answer", async () => {
    await using db = await open();
    wire.reset();
    const { pipelined } = db.stats();
    expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
    expect(wire.roundTrips()).toBeLessThanOrEqual(2);
    expect(db.stats()).toMatchObject({ connects: 1, pipelined: pipelined + 19, waiting: 0 });
  });

  test("share a connection that is opened for them, and pg warns of nothing", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on("warning", listen);
    await using db = await open();
    const { pipelined } = db.stats();
    await db.release();
    expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
    expect(db.stats()).toMatchObject({ connects: 2, pipelined: pipelined + 19 });
    // told at the end of a turn
    await delay(0);
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  test("say so in their results", async () => {
    await using db = await open();
    const [first, second] = await Promise.all([db.query(look, [1]), db.query(look, [2])]);
    expect(first.via).not.toHaveProperty("pipelined");
    expect(second.via).toMatchObject({ pipelined: true, reused: true, connectionId: first.via.connectionId });
  });

  test("of a text that never came before share as soon as the first is answered", async () => {
    await using db = openPool({ url: urlAt(wire), max: 1 });
    await db.query("select 1");
    wire.reset();
    expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
    expect(wire.roundTrips()).toBeLessThanOrEqual(4);
  });

  test("stand one behind the other with pipelining: false", async () => {
    await using db = await open({ pipelining: false });
    wire.reset();
    expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
    expect(wire.roundTrips()).toBe(20);
    expect(db.stats().pipelined).toBe(0);
  });

  test("a text that is not known yet waits for a connection of its own", async () => {
    await using db = await open({ texts: [] });
    wire.reset();
    await Promise.all(twenty.slice(0, 3).map((n) => numberOf(db, `select $1::int as n, 'new ${n}'`, n)));
    expect(db.stats().pipelined).toBe(0);
    expect(wire.roundTrips()).toBe(3);
  });

  test("what may change the connection never shares it: the call that came first keeps it", async () => {
    const texts = ["set application_name = 'me'", "do 'begin end'", "begin read only"];
    await using db = openPool({ url: urlAt(wire), max: 1 });
    const run = () =>
      db.session(async (session) => {
        for (const text of texts.slice(0, 2)) await session.query(text);
      });
    for (let time = 0; time < 3; time++) await Promise.all([run(), run(), db.query("do 'begin end'"), db.query("do 'begin end'")]);
    expect(db.stats().pipelined).toBe(0);
  });

  test("an error is that of one call alone", async () => {
    const divide = "select 1 / $1::int as n";
    await using db = await open({ texts: [divide] });
    const answers = await Promise.allSettled([1, 0, 1, 0, 1].map((n) => numberOf(db, divide, n)));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
    for (const answer of answers) if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "22012", fate: "refused" });
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("who needs a connection of its own is overtaken by no more than stood before", async () => {
    await using db = await open();
    let over = false;
    let answered = 0;
    const callers = twenty.map(async (n) => {
      for (; !over; answered++) await numberOf(db, look, n);
    });
    for (let time = 0; time < 5; time++) {
      const before = answered;
      await db.transaction(async (tx) => {
        // each caller may have had one on its way, and one behind it
        expect(answered - before).toBeLessThanOrEqual(2 * twenty.length);
        await tx.query("select 1");
      });
    }
    over = true;
    await Promise.all(callers);
    expect(db.stats()).toMatchObject({ connects: 1, waiting: 0 });
  });

  test("nobody goes behind a call that has been slow already: whoever comes waits for a connection that turns over", async () => {
    const pausing = "select pipelining_pause($1) as n";
    await using db = await open({ max: 2, texts: [look, pausing] });
    await Promise.all(twenty.map((n) => numberOf(db, look, n)));
    await sleepFor(10);
    const abort = new AbortController();
    const slow = failureOf(db.query(pausing, [1], { signal: abort.signal }));
    await until(async () => (await sleepers()) === 1);
    await sleepFor(0);
    pass(200);
    for (let time = 0; time < 3; time++) expect(await Promise.all(twenty.map((n) => numberOf(db, look, n)))).toEqual(twenty);
    abort.abort();
    expect(await slow).toMatchObject({ code: "ABORTED", fate: "refused" });
  });

  test("no more stand behind one another than are answered in the time that is fast: the rest is in the queue, where its limits hold", async () => {
    await using db = await open({ texts: [] });
    // that makes 2 of a login's three round trips, 4 that the server is busy with a statement, and 10 that is slow
    const end = wire.onMessage(({ type }) => {
      if (type === "Z") pass(6);
    });
    await numberOf(db, look, -1);
    end();
    const calls = Promise.all(twenty.map((n) => numberOf(db, look, n)));
    await setImmediate();
    expect(db.stats()).toMatchObject({ pipelined: 2, waiting: 17 });
    expect(await calls).toEqual(twenty);
  });

  test("nobody stands behind a slow call while a connection is idle", async () => {
    const pausing = "select pipelining_pause($1) as n";
    await using db = await open({ max: 2, texts: [] });
    for (let time = 0; time < 3; time++) await Promise.all([numberOf(db, look, 1), numberOf(db, look, 2)]);
    await numberOf(db, pausing, 1);
    await sleepFor(10);
    const abort = new AbortController();
    const slow = failureOf(db.query(pausing, [1], { signal: abort.signal }));
    await until(async () => (await sleepers()) === 1);
    await sleepFor(0);
    for (let n = 0; n < 20; n++) expect(await numberOf(db, look, n)).toBe(n);
    abort.abort();
    expect(await slow).toMatchObject({ code: "ABORTED", fate: "refused" });
  });

  test("a connection goes back to the pool when the last has ended", async () => {
    await using db = await open();
    await Promise.all(twenty.map((n) => numberOf(db, look, n)));
    expect(db.stats()).toMatchObject({ total: 1, idle: 1 });
  });
});

describe("the fate of each", () => {
  test("is true when the backend is killed: the head may have been done, and what stood behind it had not begun", async () => {
    const pausing = "insert into pipelining select pipelining_pause($1) returning n";
    await using db = await open({ texts: [pausing, insert] });
    await sleepFor(10);
    const head = failureOf(numberOf(db, pausing, 1));
    const behind = [2, 3, 4].map((n) => numberOf(db, insert, n));
    await until(async () => (await sleepers()) === 1);
    await sleepFor(0);
    await endSleepers();
    expect(await head).toMatchObject({ code: "57P01", fate: "unknown" });
    // they had not begun: each is sent again, and done once
    expect(await Promise.all(behind)).toEqual([2, 3, 4]);
    expect((await direct.query("select n from pipelining order by n")).rows.map(({ n }) => n)).toEqual([2, 3, 4]);
    expect(db.stats().retries).toBe(3);
  });

  test("is unknown for every write when the connection is cut", async () => {
    const pausing = "insert into pipelining select pipelining_pause($1) returning n";
    await using db = await open({ texts: [pausing, insert] });
    await sleepFor(10);
    const calls = [failureOf(numberOf(db, pausing, 1)), ...[2, 3].map((n) => failureOf(numberOf(db, insert, n)))];
    await until(async () => (await sleepers()) === 1);
    await sleepFor(0);
    wire.cut();
    for (const failure of calls) expect(await failure).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    expect(await numberOf(db, look, 6)).toBe(6);
    // nobody waits for it any more, and it locks the table
    await endSleepers();
  });

  test("of a head that is given up is its own: the others are answered, on the same connection", async () => {
    const pausing = "insert into pipelining select pipelining_pause($1) returning n";
    await using db = await open({ texts: [pausing, insert] });
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
    expect((await direct.query("select n from pipelining order by n")).rows.map(({ n }) => n)).toEqual([2, 3, 4]);
    // a CancelRequest was out: nothing new is written there
    await delay(0);
    expect(await numberOf(db, look, 5)).toBe(5);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("of one behind the head that is given up is unknown if it writes, at once, and nobody else is disturbed", async () => {
    const pausing = "insert into pipelining select pipelining_pause($1) returning n";
    await using db = await open({ texts: [pausing, insert] });
    await sleepFor(0.5);
    const abort = new AbortController();
    const head = numberOf(db, pausing, 1);
    const given = failureOf(db.query(insert, [2], { signal: abort.signal }));
    const behind = numberOf(db, insert, 3);
    await until(async () => (await sleepers()) === 1);
    abort.abort();
    expect(await given).toMatchObject({ code: "ABORTED", fate: "unknown" });
    await sleepFor(0);
    expect(await head).toBe(1);
    expect(await behind).toBe(3);
    expect(wire.cancelRequests()).toBe(0);
  });

  test("is not-sent for who is given up before there was a connection", async () => {
    await using db = await open();
    const held = db.session(() => delay(100));
    expect(await failureOf(db.query(look, [1], { deadlineMs: 20 }))).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
    await held;
  });
});

describe("a text that turned slow", () => {
  test("shares no more, until it was fast for long", async () => {
    await using db = await open();
    const end = wire.onMessage(({ type }) => {
      if (type === "Z") pass(300);
    });
    await numberOf(db, look, 1);
    end();
    for (let time = 0; time < 8; time++) expect(await isShared(db, look)).toBe(false);
    expect(await isShared(db, look)).toBe(true);
  });
});
