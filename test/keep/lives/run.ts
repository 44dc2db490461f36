import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundleHandler } from "../../lambda/bundle-handler.ts";
import { startSandbox } from "../../lambda/sandbox.ts";
import { startMariaDb } from "../servers/mariadb.ts";
import { startRedis } from "../servers/redis.ts";

/** What a life of an environment came to, as the servers count it. */
export interface Life {
  readonly invocations: number;
  readonly freezes: number;
  readonly failed: number;
  /** By how much `Connections` rose. */
  readonly mysqlConnections: number;
  /** By how much `total_connections_received` rose. */
  readonly redisConnections: number;
  /** By how much `Aborted_clients` rose: who went without a goodbye when the environment was ended. */
  readonly mysqlAborted: number;
}

/** Whether nothing failed, and each server saw one connection, and its goodbye. */
export function lifeHolds({ failed, mysqlConnections, redisConnections, mysqlAborted }: Life): boolean {
  return failed === 0 && mysqlConnections === 1 && redisConnections === 1 && mysqlAborted === 0;
}

const FREEZE_EVERY = 10;
const PAUSE_MS = 60_000;

/** Invokes a function that asks MySQL and Redis, in one environment, frozen for a minute by its clock before every tenth invocation. */
export async function runLife(invocations: number): Promise<Life> {
  await using stack = new AsyncDisposableStack();
  const mysql = stack.use(await startMariaDb());
  const redis = stack.use(await startRedis());
  const folder = await mkdtemp(join(tmpdir(), "warmline-keep-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const handler = await bundleHandler(fileURLToPath(new URL("./handler.ts", import.meta.url)), folder);
  const env = {
    MYSQL_URL: `mysql://${mysql.user}:${mysql.password}@127.0.0.1:${mysql.port}/shop`,
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
  };
  const sandbox = stack.use(await startSandbox({ handler, timeoutMs: 20_000, env }));
  const ofMysql = async (name: "Connections" | "Aborted_clients" | "Threads_connected") => {
    const [status] = await mysql.ask<{ Value: string }>(`show global status like '${name}'`);
    return Number(status?.Value);
  };
  const count = async () => {
    const [, received] = /total_connections_received:(\d+)/.exec(await redis.admin().info("stats")) ?? [];
    return { mysql: await ofMysql("Connections"), redis: Number(received), aborted: await ofMysql("Aborted_clients") };
  };
  const before = await count();
  const environment = await sandbox.environment();
  let [failed, freezes] = [0, 0];
  for (let invocation = 0; invocation < invocations; invocation++) {
    if (invocation > 0 && invocation % FREEZE_EVERY === 0) {
      await environment.freezeFor({ wallClockMs: PAUSE_MS });
      freezes += 1;
    }
    const { error } = await environment.invoke({ id: `life-${invocation}` });
    if (error !== undefined) failed += 1;
  }
  await environment.stop("SIGTERM");
  // but for the administrator's
  while ((await ofMysql("Threads_connected")) > 1) await delay(5);
  const after = await count();
  return {
    invocations,
    freezes,
    failed,
    mysqlConnections: after.mysql - before.mysql,
    redisConnections: after.redis - before.redis,
    mysqlAborted: after.aborted - before.aborted,
  };
}
