import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, inject, test, vi } from "vitest";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire } from "../../support/wire.ts";
import { eventsOf, failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { pause, stopWallClock } from "./passing-time.ts";

/** Something to wait for that a test decides itself. */
function gate() {
  return Promise.withResolvers<void>();
}

describe("the pool's queue", () => {
  test("never has more connections than max, however many queries come at once", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 3 });
    const results = await Promise.all(Array.from({ length: 200 }, (_, index) => db.query<{ n: number }>("select $1::int as n", [index])));
    expect(results.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(wire.connections()).toBe(3);
    expect(db.stats()).toMatchObject({ total: 3, idle: 3, waiting: 0, connects: 3, reuses: 197 });
  });

  test("serves those who wait in the order they came", async () => {
    await using db = openPool({ max: 1 });
    const { promise, resolve } = gate();
    const holder = db.session(() => promise);
    const order: number[] = [];
    const queries = Array.from({ length: 30 }, (_, index) => db.query("select 1").then(() => order.push(index)));
    await until(() => db.stats().waiting === 30);
    resolve();
    await Promise.all([holder, ...queries]);
    expect(order).toEqual(Array.from({ length: 30 }, (_, index) => index));
  });

  test("answers ten thousand queries at once on a single connection", async () => {
    await using db = openPool({ max: 1, acquireTimeoutMs: 60_000, deadlineMs: 60_000 });
    const results = await Promise.all(Array.from({ length: 10_000 }, () => db.query("select 1")));
    expect(new Set(results.map(({ via }) => via.connectionId)).size).toBe(1);
    expect(db.stats()).toMatchObject({ connects: 1, waiting: 0, running: 0 });
  });

  test("refuses ten thousand that waited too long, one by one, and goes on", async () => {
    await using db = openPool({ max: 1, acquireTimeoutMs: 100 });
    const { promise, resolve } = gate();
    const holder = db.session(() => promise);
    const failures = await Promise.all(Array.from({ length: 10_000 }, () => failureOf(db.query("select 1"))));
    expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(["ACQUIRE_TIMEOUT"]));
    resolve();
    await holder;
    expect((await db.query("select 1")).rowCount).toBe(1);
  });

  test("refuses a call that no connection came free for, and sends nothing of it later", async () => {
    await using direct = await openDirect();
    await direct.query("create table queue_rows (id int)");
    try {
      await using db = openPool({ max: 1, acquireTimeoutMs: 50 });
      const { promise, resolve } = gate();
      const holder = db.session(() => promise);
      const error = await failureOf(db.query("insert into queue_rows values (1)"));
      expect(error).toMatchObject({ name: "ConnectionError", code: "ACQUIRE_TIMEOUT", fate: "not-sent", retryable: true });
      expect(db.stats()).toMatchObject({ waiting: 0, retries: 0 });
      resolve();
      await holder;
      expect((await db.query("select id from queue_rows")).rows).toEqual([]);
    } finally {
      await direct.query("drop table queue_rows");
    }
  });

  test("bounds the wait for a turn only, not the connecting that follows it", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 1, acquireTimeoutMs: 1_000, connectTimeoutMs: 9_000 });
    using timers = stopTimers();
    const { promise, resolve } = gate();
    const ready = gate();
    const holder = failureOf(
      db.session(async (session) => {
        await session.sql`select 1`;
        ready.resolve();
        await promise;
        wire.cut();
        await session.sql`select 2`;
      }),
    );
    await ready.promise;
    const next = db.query("select 3 as three");
    await until(() => db.stats().waiting === 1);
    wire.hold();
    resolve();
    await holder;
    await until(() => wire.connections() === 2);
    timers.pass(1_300);
    wire.resume();
    expect((await next).rows).toEqual([{ three: 3 }]);
  });

  test("refuses at once what would be one too many to wait", async () => {
    await using db = openPool({ max: 1, maxWaiting: 2 });
    const { promise, resolve } = gate();
    const holder = db.session(() => promise);
    const waiting = [db.query("select 1"), db.transaction((tx) => tx.query("select 1"))];
    await until(() => db.stats().waiting === 2);
    const error = await failureOf(db.query("select 1", [], { idempotent: true }));
    expect(error).toMatchObject({ name: "ConnectionError", code: "QUEUE_FULL", fate: "not-sent", retryable: true });
    expect(error.message).toContain("maxWaiting");
    expect(db.stats()).toMatchObject({ waiting: 2, retries: 0 });
    resolve();
    await Promise.all([holder, ...waiting]);
    expect((await db.query("select 1")).rowCount).toBe(1);
  });

  test("may be left out altogether", async () => {
    await using db = openPool({ max: 1, maxWaiting: 0 });
    const [first, second] = await Promise.allSettled([db.query("select 1"), db.query("select 1")]);
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
  });

  test("is told of, and warned of once, when it does not become empty for a second", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      await using db = openPool({ max: 1 });
      const told = eventsOf(db, "waiting");
      for (const round of [1, 2]) {
        const { promise, resolve } = gate();
        const holder = db.session(() => promise);
        await until(() => db.stats().connects === 1);
        const calls = [db.query("select 1")];
        await until(() => db.stats().waiting === 1);
        // tells the watch that somebody waits
        calls.push(db.query("select 2"));
        await until(() => db.stats().waiting === 2);
        expect(told).toHaveLength(round - 1);
        pause(1_500);
        calls.push(db.query("select 3"), db.query("select 4"));
        await until(() => db.stats().waiting === 4);
        expect(told).toHaveLength(round);
        resolve();
        await Promise.all([holder, ...calls]);
      }
      expect(told).toMatchObject(Array(2).fill({ type: "waiting", waiting: 2 }));
      expect(told.every(({ forMs }) => forMs >= 1_500)).toBe(true);
      expect(warn.mock.calls.flat()).toEqual([expect.stringContaining("raise max")]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test("is not told of, nor warned of, as long as what is waited for is a connection that is being opened", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      await using wire = await startWire(inject("postgres"));
      wire.hold();
      await using db = openPool({ url: urlAt(wire), max: 1 });
      const told = eventsOf(db, "waiting");
      const { promise, resolve } = gate();
      const calls: Promise<unknown>[] = [db.session((session) => session.query("select 1").then(() => promise))];
      const joinedBy = async (waiting: number) => {
        calls.push(db.query("select 2"));
        await until(() => db.stats().waiting === waiting);
      };
      await joinedBy(1);
      await joinedBy(2);
      pause(1_500);
      await joinedBy(3);
      expect([told, warn.mock.calls]).toEqual([[], []]);
      wire.resume();
      await until(() => db.stats().connects === 1);
      // whoever waits now waits for whoever holds it
      await joinedBy(4);
      pause(900);
      await joinedBy(5);
      expect([told, warn.mock.calls]).toEqual([[], []]);
      pause(200);
      await joinedBy(6);
      expect(told).toEqual([{ type: "waiting", waiting: 5, forMs: 1_100 }]);
      expect(warn.mock.calls).toHaveLength(1);
      resolve();
      await Promise.all(calls);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test("is told of only by the time in which nobody opened a connection for it", async () => {
    try {
      await using wire = await startWire(inject("postgres"));
      stopWallClock();
      await using db = openPool({ url: urlAt(wire), max: 1 });
      const told = eventsOf(db, "waiting");
      const [first, second] = [gate(), gate()];
      const lost = failureOf(db.session((session) => first.promise.then(() => session.query("select 1"))));
      await until(() => db.stats().connects === 1);
      const calls: Promise<unknown>[] = [db.session(() => second.promise)];
      const joinedBy = async (waiting: number) => {
        calls.push(db.query("select 2"));
        await until(() => db.stats().waiting === waiting);
      };
      await joinedBy(2);
      wire.hold();
      void wire.cut();
      first.resolve();
      await lost;
      await delay(150);
      pause(150);
      wire.resume();
      await until(() => db.stats().connects === 2);
      pause(900);
      await joinedBy(2);
      expect(told).toEqual([]);
      pause(500);
      await joinedBy(3);
      expect(told).toMatchObject([{ waiting: 2 }]);
      expect(told[0]?.forMs).toBeLessThanOrEqual(1_400);
      second.resolve();
      await Promise.all(calls);
    } finally {
      vi.restoreAllMocks();
    }
  });
});
