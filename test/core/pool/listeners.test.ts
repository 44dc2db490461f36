import { expect, test } from "vitest";
import type { WarmPool } from "../../../src/entry/pool.ts";
import { openPool } from "../databases.ts";

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
