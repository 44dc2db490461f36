import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDirect, until } from "../core/databases.ts";
import { findPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import type { WarmReply } from "./handlers/warm.ts";
import { startNetwork } from "./network.ts";
import { ask, useWarmHandler, type WarmFunctionOptions } from "./warm-function.ts";

const environmentCount = 40;
const slots = 16;
/** So many environments run at a time; the others sleep. */
const atOnce = 8;

const deploy = useWarmHandler();
let server: PostgresServer;
let observer: Awaited<ReturnType<typeof openDirect>>;

beforeAll(async () => {
  // one slot is the observer's
  server = await startPostgres({ settings: { max_connections: String(slots + 1), superuser_reserved_connections: "0" } });
  observer = await openDirect(server.url());
});
afterAll(async () => {
  await observer.end();
  await server.stop();
});

/** Calls each environment of a new function once, and leaves them all asleep. */
async function scaleOut(options: WarmFunctionOptions): Promise<readonly WarmReply[]> {
  const deployed = await deploy(options);
  const replies: WarmReply[] = [];
  let opened = 0;
  const lane = async () => {
    while (opened++ < environmentCount) replies.push(await ask(await deployed.environment(), { do: "query", text: "select 1 as one" }));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  expect(replies).toHaveLength(environmentCount);
  return replies;
}

function served(replies: readonly WarmReply[]): number {
  return replies.filter(({ rows }) => rows.length === 1).length;
}

async function backends(): Promise<number> {
  const { rowCount } = await observer.query(
    "select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
  );
  return rowCount ?? Number.NaN;
}

describe(`${environmentCount} environments on ${slots} free slots`, () => {
  const limits = { timeout: 300_000 };

  test(
    "directly: those that come first keep the slots, and the others are told why, and what helps, without many attempts",
    limits,
    async () => {
      await using network = await startNetwork(server);
      const replies = await scaleOut({ url: server.url().replace(`:${server.port}/`, `:${network.port}/`) });
      expect(served(replies)).toBe(slots);
      expect(await backends()).toBe(slots);
      const failures = replies.flatMap(({ failure }) => failure ?? []);
      expect(failures).toHaveLength(environmentCount - slots);
      for (const failure of failures) {
        expect(failure).toMatchObject({ code: "53300", fate: "not-sent" });
        expect(failure.message).toMatch(/lower max.+RDS Proxy.+frozen environments.+reserve.+after-invocation.+idleSessionTimeoutMs/i);
      }
      // one while it was initialized, and two by the call
      expect(network.connections() - slots).toBe(failures.length * 3);
      expect(Math.max(...replies.map(({ stats }) => stats.retries))).toBe(1);
    },
  );

  test("directly, with release after-invocation: all are served, and no slot is held", limits, async () => {
    await until(async () => (await backends()) === 0);
    expect(served(await scaleOut({ url: server.url(), database: { release: "after-invocation" } }))).toBe(environmentCount);
    await until(async () => (await backends()) === 0);
  });

  test.runIf(findPgBouncer())("through PgBouncer in transaction mode: all are served, and keep their connections", limits, async () => {
    const bouncer = await startPgBouncer(server, { default_pool_size: String(slots) });
    const replies = await scaleOut({ url: `${bouncer.url()}?pgbouncer=true` });
    expect(served(replies)).toBe(environmentCount);
    expect(replies.map(({ stats }) => stats.total)).toEqual(replies.map(() => 1));
    expect(await backends()).toBeLessThanOrEqual(slots);
    await bouncer.stop();
  });
});
