import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { attachPool } from "../../src/adapters/vercel.ts";
import { WarmPool } from "../../src/entry/pool.ts";

const place = Symbol.for("@vercel/request-context");
const global = globalThis as { [place]?: unknown };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  global[place] = { get: () => ({ waitUntil() {} }) };
});
afterEach(() => {
  vi.useRealTimers();
  delete global[place];
});

test("a pool with the longest idle limit there is keeps its connection, where the platform names no deadline", async () => {
  const pool = new WarmPool({ connectionString: inject("postgres").url, idleTimeoutMillis: 2_147_483_647 });
  attachPool(pool);
  await pool.query("select 1");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(pool.idleCount).toBe(1);
  vi.useRealTimers();
  await pool.end();
});
