import { expect, test } from "vitest";
import { WarmPool } from "../../../src/entry/pool.ts";
import { openPool, until, urlAt } from "../databases.ts";

test("a listener for release that throws is uncaught, as it is with pg, and keeps nobody from an answer", async () => {
  const pools: WarmPool[] = [];
  await using db = openPool({ max: 1, onPool: (pool) => void pools.push(pool as WarmPool) });
  await db.query("select 1 as n");
  const [pool] = pools;
  const uncaught: unknown[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (thrown) => uncaught.push(thrown));
  try {
    const thrown = new Error("from a listener");
    pool?.once("release", () => {
      throw thrown;
    });
    expect((await db.query("select 2 as n")).rows).toEqual([{ n: 2 }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(uncaught).toEqual([thrown]);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
});

test.each(["connect", "acquire", "release", "remove"])(
  "a listener for %s that throws keeps no call, no connection and no end",
  async (event) => {
    const pool = new WarmPool({ url: urlAt(), max: 1 });
    const uncaught: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (thrown) => uncaught.push(thrown));
    try {
      const thrown = new Error("from a listener");
      pool.on(event as "connect", () => {
        throw thrown;
      });
      for (let time = 0; time < 3; time++) {
        const client = await pool.connect();
        expect((await client.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
        client.release(true);
      }
      expect((await pool.query("select 2 as n")).rows).toEqual([{ n: 2 }]);
      await pool.end();
      await until(() => uncaught.length === 4);
      expect(new Set(uncaught)).toEqual(new Set([thrown]));
      expect([pool.totalCount, pool.waitingCount]).toEqual([0, 0]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  },
);
