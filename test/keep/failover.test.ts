import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { redis } from "../../examples/keep/ioredis.ts";
import { isWarmlineError } from "../../src/entry/node.ts";
import { type Network, startNetwork } from "../lambda/network.ts";
import { missingServers } from "./servers/find-program.ts";
import { type RedisServer, startRedis } from "./servers/redis.ts";

const missing = missingServers();
if (missing !== undefined) console.warn(`SKIPPED, a Redis that fails over: ${missing}`);

/** A primary and its replica, behind one address that follows whoever is the primary. */
let primary: RedisServer;
let replica: RedisServer;
let network: Network;
const target = { host: "127.0.0.1", port: 0 };

beforeEach(async () => {
  if (missing !== undefined) return;
  [primary, replica] = await Promise.all([startRedis(), startRedis()]);
  target.port = primary.port;
  network = await startNetwork(target);
  process.env.REDIS_URL = `redis://127.0.0.1:${network.port}`;
  await replica.admin().replicaof("127.0.0.1", primary.port);
  while (!/master_link_status:up/.test(await replica.admin().info("replication"))) await delay(5);
});
afterEach(async () => {
  if (missing !== undefined) return;
  await redis.close();
  await network.close();
  await Promise.all([primary[Symbol.asyncDispose](), replica[Symbol.asyncDispose]()]);
});

/** What the client itself fails a command with that was on its way; it has no code. */
const ofClient = /^(Connection is closed\.|READONLY .*|Command timed out|read ECONNRESET)/;

/** Writes by ten callers until `isOver`; gives what failed, and how many succeeded after `done` was called. */
async function load() {
  const errors: unknown[] = [];
  let isOver = false;
  let successes = 0;
  const call = async () => {
    while (!isOver) {
      try {
        await (await redis()).incr("orders");
        successes += 1;
      } catch (error) {
        errors.push(error);
      }
      await delay(5);
    }
  };
  const callers = Array.from({ length: 10 }, call);
  const succeed = async () => {
    const before = successes;
    while (successes < before + 50) await delay(5);
  };
  await succeed();
  return {
    errors,
    succeed,
    async fail(how: (error: unknown) => boolean) {
      while (!errors.some(how)) await delay(5);
    },
    async stop() {
      isOver = true;
      await Promise.all(callers);
    },
  };
}

function expectCoded(errors: readonly unknown[]): void {
  for (const error of errors) {
    if (isWarmlineError(error)) expect(error).toMatchObject({ code: expect.stringMatching(/^CREATE_(FAILED|TIMEOUT)$/), fate: "not-sent" });
    else expect((error as Error).message).toMatch(ofClient);
  }
}

describe.skipIf(missing !== undefined)("a Redis that fails over", () => {
  test("killed, and its replica promoted behind the address: errors with codes, then answers, and nothing is left open", async () => {
    const calls = await load();
    await primary.kill();
    await calls.fail(isWarmlineError);
    await replica.admin().replicaof("NO", "ONE");
    target.port = replica.port;
    await calls.succeed();
    await calls.stop();
    expectCoded(calls.errors);
    await redis.close();
    await expect.poll(() => network.openConnections()).toBe(0);
  });

  test("demoted, with its connections kept: who wrote is told READONLY, and the next call goes to the new primary", async () => {
    const calls = await load();
    await replica.admin().replicaof("NO", "ONE");
    target.port = replica.port;
    await primary.admin().replicaof("127.0.0.1", replica.port);
    await calls.fail((error) => String(error).includes("READONLY"));
    await calls.succeed();
    await calls.stop();
    expectCoded(calls.errors);
    expect(await (await redis()).role()).toContain("master");
    await redis.close();
    await expect.poll(() => network.openConnections()).toBe(0);
  });

  test("gone for good: every call fails with a code, soon, and nothing is left open", async () => {
    await (await redis()).ping();
    await primary.kill();
    network.refuse();
    await expect.poll(() => network.openConnections()).toBe(0);
    const calls = await Promise.allSettled(Array.from({ length: 100 }, () => redis()));
    const codes = calls.map((call) => call.status === "rejected" && call.reason.code);
    expect(new Set(codes)).toEqual(new Set(["CREATE_FAILED"]));
    expect(network.openConnections()).toBe(0);
  });
});
