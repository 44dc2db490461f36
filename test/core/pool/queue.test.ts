import { describe, expect, inject, test, vi } from "vitest";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire } from "../../support/wire.ts";
import { eventsOf, failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { pause } from "./passing-time.ts";

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

  test("is not told of while the pool's own connection opens, however long that takes", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      const { promise, resolve } = gate();
      const { password } = new URL(urlAt());
      await using db = openPool({ max: 1, password: () => promise.then(() => password) });
      const told = eventsOf(db, "waiting");
      const calls = [1, 2, 3].map((number) => db.transaction((tx) => tx.sql`select ${number}::int`));
      setTimeout(resolve, 1_100);
      await Promise.all(calls);
      expect([told, warn.mock.calls]).toEqual([[], []]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test("is told of, and warned of once, when it does not become empty for a second", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      await using db = openPool({ max: 1 });
      const told = eventsOf(db, "waiting");
      for (const round of [1, 2]) {
        const { promise, resolve } = gate();
        const holder = db.session(() => promise);
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
});
