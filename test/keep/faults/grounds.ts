import { type Network, startNetwork } from "../../lambda/network.ts";
import { startMariaDb } from "../servers/mariadb.ts";
import { startRedis } from "../servers/redis.ts";
import { ready, startRedisCluster } from "../servers/redis-cluster.ts";
import { startService } from "../servers/service.ts";
import type { ClientName } from "./errand.ts";

/** The servers of a client, and the networks it reaches them by. */
export interface Ground extends AsyncDisposable {
  readonly networks: readonly Network[];
  /** How the handler finds them. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends every connection of the client's, from the server's side; gives how many. */
  killUsers(): Promise<number>;
  /** Ends the servers, and starts them again in the same place. */
  restart(): Promise<void>;
  /** How often an id was written. */
  count(id: string): Promise<number>;
}

/** Starts what a client needs, for itself alone. */
export const grounds: Readonly<Record<ClientName, () => Promise<Ground>>> = {
  mysql2: groundOfMysql,
  ioredis: groundOfRedis,
  "ioredis cluster": groundOfCluster,
  undici: groundOfService,
  "http agent": groundOfService,
};

async function groundOfMysql(): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startMariaDb());
  const network = stack.use(await startNetwork(server));
  const owned = stack.move();
  return {
    networks: [network],
    env: { MYSQL_URL: `mysql://${server.user}:${server.password}@127.0.0.1:${network.port}/shop` },
    killUsers: server.killUsers,
    restart: server.restart,
    count: async (id) =>
      Number((await server.ask<{ times: number }>("select count(*) as times from shop.rounds where id = ?", [id]))[0]?.times),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function groundOfRedis(): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  const network = stack.use(await startNetwork(server));
  const owned = stack.move();
  return {
    networks: [network],
    env: { REDIS_URL: `redis://127.0.0.1:${network.port}` },
    killUsers: server.killUsers,
    restart: server.restart,
    count: async (id) => Number(await server.admin().get(id)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function groundOfCluster(): Promise<Ground> {
  const { nodes, networks, [Symbol.asyncDispose]: dispose } = await startRedisCluster();
  return {
    networks,
    env: { REDIS_CLUSTER: networks.map(({ port }) => `redis://127.0.0.1:${port}`).join() },
    async killUsers() {
      const killed = await Promise.all(nodes.map((node) => node.killUsers()));
      return killed.reduce((sum, count) => sum + count, 0);
    },
    async restart() {
      await Promise.all(nodes.map((node) => node.restart()));
      await ready(nodes);
    },
    async count(id) {
      // only the node that has the key answers
      const counts = await Promise.allSettled(nodes.map((node) => node.admin().get(id)));
      const found = counts.find((count) => count.status === "fulfilled");
      return Number(found?.value ?? 0);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function groundOfService(): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const service = stack.use(await startService());
  const network = stack.use(await startNetwork(service));
  const owned = stack.move();
  return {
    networks: [network],
    env: { SERVICE_URL: `http://127.0.0.1:${network.port}` },
    killUsers: service.killUsers,
    restart: service.restart,
    count: async (id) => service.count(`/${id}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
