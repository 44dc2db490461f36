import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, inject, test } from "vitest";
import { openDirect, until } from "../core/databases.ts";
import { type Instance, type InstanceOptions, startInstance } from "./start-instance.ts";

/** An instance, and what the server sees of each of its pools. */
async function start(options: Omit<InstanceOptions, "pools"> & { readonly pools: readonly { idleTimeoutMs: number; min?: number }[] }) {
  const direct = await openDirect();
  const names = options.pools.map(() => randomUUID());
  const instance: Instance = await startInstance({
    ...options,
    pools: options.pools.map((own, index) => ({ url: inject("postgres").url, name: names[index], applicationName: names[index], ...own })),
  });
  const backends = async (): Promise<readonly number[]> => {
    const { rows } = await direct.query<{ name: string }>(
      "select application_name as name from pg_stat_activity where application_name = any($1)",
      [names],
    );
    return names.map((name) => rows.filter((row) => row.name === name).length);
  };
  return {
    ...instance,
    /** Stops the instance, and waits until the server has these many backends of each pool: what was sent before is all it will hear. */
    async expectSuspendedWith(wanted: readonly number[]): Promise<void> {
      await instance.suspend();
      await until(async () => String(await backends()) === String(wanted)).catch(() => {});
      expect(await backends()).toEqual(wanted);
    },
    /** The longest a backend of this instance has been idle so far, milliseconds by the server's clock. */
    async longestIdleMs(): Promise<number> {
      const { rows } = await direct.query<{ ms: number }>(
        `select coalesce(max(extract(epoch from clock_timestamp() - state_change) * 1000), 0)::float8 as ms
         from pg_stat_activity where application_name = any($1) and state = 'idle'`,
        [names],
      );
      return rows[0]?.ms ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await instance[Symbol.asyncDispose]();
      await direct.end();
    },
  };
}

const limits = [{ idleTimeoutMs: 1_500 }, { idleTimeoutMs: 500 }];
const both = [0, 1];

describe.each(["database", "pool"] as const)("an instance with two attached pools, used over a %s", (over) => {
  test("is suspended with no idle backend, none has outlived its limit for long, and nothing fails after it", async () => {
    await using instance = await start({ attach: "warmline", pools: limits });
    expect(await instance.request({ pool: both, over })).toBe(2);
    let asleep = false;
    const quiet = instance.quiet().then(() => {
      asleep = true;
    });
    let longest = 0;
    while (!asleep) {
      longest = Math.max(longest, await instance.longestIdleMs());
      await delay(20);
    }
    await quiet;
    await instance.expectSuspendedWith([0, 0]);
    expect(longest).toBeGreaterThan(500);
    // a limit of 1.5 s, and what a slow machine adds
    expect(longest).toBeLessThan(10_000);
    instance.resume();
    expect(await instance.request({ pool: both, over })).toBe(2);
    await instance.quiet();
  });
});

test("without being attached, an instance is suspended with its backends, which then outlive any limit", async () => {
  await using instance = await start({ attach: "nobody", pools: limits });
  expect(await instance.request({ pool: both, over: "database" })).toBe(0);
  await instance.quiet();
  await instance.expectSuspendedWith([1, 1]);
  await until(async () => (await instance.longestIdleMs()) > 2_500);
  await instance.expectSuspendedWith([1, 1]);
});

test("one request of many that interleave waits for each pool once, and the last of them leaves no backend", async () => {
  await using instance = await start({ attach: "warmline", pools: limits });
  const promises = await Promise.all(Array.from({ length: 6 }, () => instance.request({ pool: both, over: "pool" })));
  expect(promises).toEqual([2, 2, 2, 2, 2, 2]);
  await instance.quiet();
  await instance.expectSuspendedWith([0, 0]);
});

test("connections that min keeps open are closed before the instance is suspended", async () => {
  await using instance = await start({ attach: "warmline", pools: [{ idleTimeoutMs: 300, min: 1 }] });
  await instance.request({ pool: [0], over: "database" });
  await instance.quiet();
  await instance.expectSuspendedWith([0]);
});

test("a request whose time is nearly over ends its idle connections instead of waiting", async () => {
  await using instance = await start({ attach: "warmline", pools: [{ idleTimeoutMs: 600_000 }] });
  await instance.request({ pool: [0], over: "database", deadlineMs: 1_500 });
  await instance.quiet();
  await instance.expectSuspendedWith([0]);
});

test("a pool without an idle limit keeps no instance awake", async () => {
  await using instance = await start({ attach: "warmline", pools: [{ idleTimeoutMs: 0 }] });
  expect(await instance.request({ pool: [0], over: "database" })).toBe(0);
  await instance.quiet();
  await instance.expectSuspendedWith([1]);
});

describe("attachDatabasePool of @vercel/functions", () => {
  test.each(["database", "pool"] as const)("takes the pool of a %s, and leaves no idle backend of it", async (over) => {
    await using instance = await start({ attach: "vercel", pools: [{ idleTimeoutMs: 500 }] });
    expect(await instance.request({ pool: [0], over })).toBe(3);
    expect(await instance.request({ pool: [0], over })).toBe(3);
    await instance.quiet();
    await instance.expectSuspendedWith([0]);
  });

  test("has one timer for all pools, and leaves the backend of the one with the longer limit", async () => {
    await using instance = await start({ attach: "vercel", pools: limits });
    await instance.request({ pool: both, over: "database" });
    await instance.quiet();
    await instance.expectSuspendedWith([1, 0]);
  });
});
