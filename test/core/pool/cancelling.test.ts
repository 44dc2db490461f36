import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { failureAfter } from "../passing-deadline.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query(`
    create table cancelling (id int);
    create function cancelling_dawdle() returns trigger language plpgsql as 'begin perform pg_sleep(30); return null; end';
    create table cancelling_slow_commit (id int);
    create constraint trigger slow after insert on cancelling_slow_commit deferrable initially deferred
      for each row execute function cancelling_dawdle();
  `);
});
beforeEach(async () => {
  wire = await startWire(inject("postgres"));
  return () => wire.close();
});
afterAll(async () => {
  await direct.query("drop table cancelling, cancelling_slow_commit; drop function cancelling_dawdle");
  await direct.end();
});

const open = (options = {}) => openPool({ url: urlAt(wire), max: 1, applicationName: "core cancelling", ...options });
const countActive = async () =>
  (await direct.query("select 1 from pg_stat_activity where application_name = 'core cancelling' and state = 'active'")).rowCount;
/** Whether a statement sleeps at the server: what only reads its next message would not heed a CancelRequest. */
const sleeps = async () =>
  (await direct.query("select 1 from pg_stat_activity where application_name = 'core cancelling' and wait_event = 'PgSleep'")).rowCount ===
  1;
const countRows = async (table: string) => Number((await direct.query(`select count(*) from ${table}`)).rows[0].count);

describe("a deadline that passes", () => {
  test("while the statement runs cancels it at the server, and replaces the connection", async () => {
    await using db = open();
    const { connectionId } = (await db.query("select 1")).via;
    const late = () => db.query("select pg_sleep(30)", [], { deadlineMs: 100 });
    const error = await failureAfter(late, { ms: 100, once: sleeps });
    expect(error).toMatchObject({ name: "CancelledError", code: "DEADLINE_EXCEEDED", fate: "refused" });
    expect(error.message).toContain("100 ms");
    expect(wire.cancelRequests()).toBe(1);
    expect(await countActive()).toBe(0);
    const next = await db.query("select 1");
    expect(next.via.connectionId).not.toBe(connectionId);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1, retries: 0 });
  });

  test("while the statement is on its way cancels it when it has begun, though the first request came too early", async () => {
    await using db = open();
    await db.query("select 1");
    wire.hold("open");
    using timers = stopTimers();
    const failure = failureOf(db.query("select pg_sleep(30)", [], { deadlineMs: 100 }));
    await until(() => db.stats().idle === 0);
    timers.pass(100);
    // the server has signalled a backend that had nothing to cancel
    await until(() => wire.cancelRequests() === 1 && wire.openConnections() === 1);
    wire.resume();
    await until(sleeps);
    timers.pass(150);
    expect(await failure).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
    expect([wire.cancelRequests(), await countActive()]).toEqual([2, 0]);
  });

  test("in the queue sends nothing, and leaves the queue", async () => {
    await using db = open();
    const { promise, resolve } = Promise.withResolvers<void>();
    const holder = db.session(() => promise);
    expect(await failureOf(db.query("insert into cancelling values (1)", [], { deadlineMs: 50 }))).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      fate: "not-sent",
      retryable: true,
    });
    expect(db.stats().waiting).toBe(0);
    resolve();
    await holder;
    await db.query("select 1");
    expect([await countRows("cancelling"), db.stats().connects]).toEqual([0, 1]);
  });

  test("while connecting sends nothing, and the connection that comes late serves the next", async () => {
    await using db = open();
    wire.hold();
    expect(await failureOf(db.query("select 1", [], { deadlineMs: 50 }))).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
    wire.resume();
    await db.query("select 1");
    expect(db.stats().connects).toBe(1);
  });

  test("during a COMMIT that the server then gives up leaves nothing done, and says so", async () => {
    await using db = open();
    await db.query("select 1");
    const late = () => db.transaction((tx) => tx.query("insert into cancelling_slow_commit values (1)"), { deadlineMs: 500 });
    const error = await failureAfter(late, { ms: 500, once: sleeps });
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
    expect(await countRows("cancelling_slow_commit")).toBe(0);
  });

  test("during a COMMIT whose answer is swallowed leaves the fate unknown, for it was carried out", async () => {
    await using db = open();
    await db.query("select 1");
    const late = () =>
      db.transaction(
        async (tx) => {
          await tx.query("insert into cancelling values (2)");
          wire.holdServer("open");
        },
        { deadlineMs: 500 },
      );
    const graceMs = 250;
    const error = await failureAfter(late, { ms: 500 + graceMs, once: async () => (await countRows("cancelling")) === 1 });
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "unknown", retryable: false });
    await direct.query("truncate cancelling");
    wire.resume();
  });

  test("ends a transaction whose callback never returns, and gives its connection to the next", async () => {
    await using db = open();
    await db.query("select 1");
    using timers = stopTimers();
    const inserted = Promise.withResolvers<void>();
    const stuck = failureOf(
      db.transaction(
        async (tx) => {
          await tx.query("insert into cancelling values (3)");
          inserted.resolve();
          await new Promise(() => {});
        },
        { deadlineMs: 300 },
      ),
    );
    const next = db.query("select id from cancelling");
    await inserted.promise;
    timers.pass(300);
    expect(await stuck).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
    expect((await next).rows).toEqual([]);
  });

  test("ends a session whose callback never returns, and has sent nothing", async () => {
    await using db = open();
    await db.query("select 1");
    using timers = stopTimers();
    const begun = Promise.withResolvers<void>();
    const never = () => {
      begun.resolve();
      return new Promise(() => {});
    };
    const stuck = failureOf(db.session(never, { deadlineMs: 300 }));
    const next = db.query("select 1 as one");
    await begun.promise;
    timers.pass(300);
    expect(await stuck).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
    expect((await next).rows).toEqual([{ one: 1 }]);
  });

  test("in one transaction leaves alone the query that follows it", async () => {
    await using db = open();
    for (let round = 0; round < 20; round++) {
      const late = failureOf(db.query("select pg_sleep(30)", [], { deadlineMs: 20 }));
      const next = db.query("select pg_sleep(0.01)");
      await late;
      expect((await next).rowCount).toBe(1);
    }
  });

  test("bounds all attempts together", async () => {
    await using db = open({ connectTimeoutMs: 40 });
    wire.hold();
    const error = await failureOf(db.query("select 1", [], { deadlineMs: 100 }));
    expect(["CONNECT_TIMEOUT", "DEADLINE_EXCEEDED"]).toContain(error.code);
    expect(error.fate).toBe("not-sent");
    expect(db.stats().retries).toBeLessThan(4);
    wire.resume();
  });

  test("of zero is no deadline", async () => {
    await using db = open();
    expect((await db.query("select pg_sleep(0.05)", [], { deadlineMs: 0 })).rowCount).toBe(1);
  });
});

describe("a signal", () => {
  test("that is aborted already sends and connects nothing", async () => {
    await using db = open();
    const error = await failureOf(db.query("insert into cancelling values (4)", [], { signal: AbortSignal.abort("a reason") }));
    expect(error).toMatchObject({ name: "CancelledError", code: "ABORTED", fate: "not-sent" });
    expect(wire.connections()).toBe(0);
  });

  test("aborted while the statement runs cancels it at the server", async () => {
    await using db = open();
    await db.query("select 1");
    // the server may take its time to answer the CancelRequest
    using _timers = stopTimers();
    const controller = new AbortController();
    const failure = failureOf(db.query("select pg_sleep(30)", [], { signal: controller.signal }));
    await until(sleeps);
    controller.abort();
    expect(await failure).toMatchObject({ code: "ABORTED", fate: "refused", retryable: false });
    await until(async () => (await countActive()) === 0);
    expect((await db.query("select 1")).rowCount).toBe(1);
  });

  test("aborted in the queue takes the call out of it", async () => {
    await using db = open();
    const { promise, resolve } = Promise.withResolvers<void>();
    const holder = db.session(() => promise);
    const controller = new AbortController();
    const failure = failureOf(db.query("select 1", [], { signal: controller.signal }));
    await until(() => db.stats().waiting === 1);
    controller.abort();
    expect(await failure).toMatchObject({ code: "ABORTED", fate: "not-sent" });
    expect(db.stats().waiting).toBe(0);
    resolve();
    await holder;
  });

  test("aborted inside a transaction rolls it back", async () => {
    await using db = open();
    const controller = new AbortController();
    const failure = failureOf(
      db.transaction(
        async (tx) => {
          await tx.query("insert into cancelling values (5)");
          controller.abort();
          await tx.query("insert into cancelling values (6)");
        },
        { signal: controller.signal },
      ),
    );
    expect(await failure).toMatchObject({ code: "ABORTED", fate: "refused" });
    expect(await countRows("cancelling")).toBe(0);
  });

  test("is not listened to any more when its call is over", async () => {
    await using db = open();
    const controller = new AbortController();
    await db.query("select 1", [], { signal: controller.signal });
    controller.abort();
    expect((await db.query("select 1")).via.reused).toBe(true);
    expect(wire.cancelRequests()).toBe(0);
  });
});

describe("statementTimeoutMs", () => {
  test("is the server's own limit, and keeps the connection", async () => {
    await using db = open({ statementTimeoutMs: 500 });
    expect(await failureOf(db.query("select pg_sleep(30)"))).toMatchObject({ name: "DatabaseError", code: "57014", fate: "refused" });
    expect((await db.query("select 1")).via.reused).toBe(true);
    expect([wire.cancelRequests(), db.stats().discarded]).toEqual([0, 0]);
  });
});
