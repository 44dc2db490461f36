import { afterEach, describe, expect, test, vi } from "vitest";
import { WarmPool } from "../../../src/entry/pool.ts";
import { eventsOf, openPool, until, urlAt } from "../databases.ts";
import { PAUSE_MS, pause, stopWallClock } from "./passing-time.ts";

const warnings = () => vi.mocked(console.warn).mock.calls.map(([message]) => String(message));

/** Where a leak is looked for, in a function that its stack has to name. */
async function forgetful(pool: WarmPool) {
  return pool.connect();
}

afterEach(() => void vi.restoreAllMocks());

describe("a connection held for longer than leakThresholdMs", () => {
  test("is told once, with who took it", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using db = openPool({ leakThresholdMs: 50 });
    const leaks = eventsOf(db, "leak");
    async function takesItsTime() {
      await db.session(() => until(() => leaks.length > 0));
    }
    // the first call makes the pool; what is remembered is where it was asked for
    await takesItsTime();
    expect(leaks).toMatchObject([{ connectionId: expect.stringMatching(/^c\d+$/), heldMs: expect.any(Number) }]);
    expect(leaks[0]?.heldMs).toBeGreaterThanOrEqual(45);
    expect(leaks[0]?.stack).toMatch(/^ +at /);
    expect(leaks[0]?.stack).toContain("takesItsTime");
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warnings()[0]).toContain("takesItsTime");
    expect(db.stats().leaks).toBe(1);
  });

  test("is told to be held for as long as it takes to be one, though the wall clock was set back", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    stopWallClock();
    await using db = openPool({ leakThresholdMs: 50 });
    const leaks = eventsOf(db, "leak");
    await using _ = await db.session();
    pause(-PAUSE_MS);
    await until(() => leaks.length > 0);
    expect(leaks).toMatchObject([{ heldMs: 50 }]);
    expect(warnings()).toEqual([expect.stringContaining(" 50 ms ")]);
    expect(warn).toHaveBeenCalledTimes(1);
    pause();
  });

  test("is told of a session without a callback that is never released, with who took it", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const db = openPool({ leakThresholdMs: 50 });
    const leaks = eventsOf(db, "leak");
    async function forgetsIt() {
      return db.session();
    }
    const session = await forgetsIt();
    await until(() => leaks.length > 0);
    expect(leaks[0]?.stack).toContain("forgetsIt");
    await session.release();
    await db.close();
  });

  test("is found by the wall clock at the next checkout where timers stand still", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    await using db = openPool({ leakThresholdMs: 30_000, max: 2 });
    const leaks = eventsOf(db, "leak");
    const begun = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<void>();
    const holder = db.transaction(async (tx) => {
      await tx.sql`select 1`;
      begun.resolve();
      await promise;
    });
    await begun.promise;
    await db.query("select 1");
    expect(leaks).toEqual([]);
    pause();
    await db.query("select 1");
    expect(leaks).toHaveLength(1);
    await db.query("select 1");
    expect(db.stats().leaks).toBe(1);
    resolve();
    await holder;
  });

  test("is told of WarmPool.connect without a release, and not of its queries", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const pool = new WarmPool({ url: urlAt(), max: 2, leakThresholdMs: 50 });
    await pool.query("select pg_sleep(0.15)");
    expect(warn).not.toHaveBeenCalled();
    const client = await forgetful(pool);
    await until(() => warn.mock.calls.length > 0);
    expect(warnings()).toEqual([expect.stringContaining("forgetful")]);
    client.release();
    await pool.end();
  });

  test("is told of a forgotten callback of WarmPool.connect", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const pool = new WarmPool({ url: urlAt(), max: 2, leakThresholdMs: 50 });
    const { promise, resolve } = Promise.withResolvers<() => void>();
    pool.connect((_error, _client, release) => resolve(release));
    const release = await promise;
    await until(() => warn.mock.calls.length > 0);
    release();
    await pool.end();
  });

  test("is not told when it is given back in time, nor without the setting", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    await using watched = openPool({ leakThresholdMs: 30_000 });
    await using unwatched = openPool();
    await watched.session((session) => session.sql`select 1`);
    const [begun, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = unwatched.session(async (session) => {
      begun.resolve();
      await asked.promise;
      await session.sql`select 1`;
    });
    await begun.promise;
    pause();
    await unwatched.query("select 1");
    asked.resolve();
    await holding;
    await watched.query("select 1");
    expect([watched.stats().leaks, unwatched.stats().leaks, warnings()]).toEqual([0, 0, []]);
  });
});
