import { setTimeout as delay } from "node:timers/promises";
import { type Network, startNetwork } from "../../lambda/network.ts";
import { findFreePort } from "../../support/postgres/workplace.ts";
import { type RedisServer, startRedis } from "./redis.ts";

/** Three primaries that share the slots, each behind a network of its own, whose port is the one it announces. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  readonly networks: readonly Network[];
}

const SLOTS = 16_384;
const NODES = 3;
const MEET_TIMEOUT_MS = 20_000;

/** Starts them, and waits until all know of all. */
export async function startRedisCluster(): Promise<RedisCluster> {
  await using stack = new AsyncDisposableStack();
  const nodes: RedisServer[] = [];
  const networks: Network[] = [];
  const buses: number[] = [];
  for (let index = 0; index < NODES; index++) {
    const [port, bus] = [await findFreePort(), await findFreePort()];
    const network = stack.use(await startNetwork({ host: "127.0.0.1", port }));
    const announced = [
      "--cluster-announce-ip",
      "127.0.0.1",
      "--cluster-announce-port",
      String(network.port),
      "--cluster-announce-bus-port",
      String(bus),
    ];
    const args = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-port", String(bus), ...announced];
    nodes.push(stack.use(await startRedis({ port, args })));
    networks.push(network);
    buses.push(bus);
  }
  for (const [index, node] of nodes.entries()) {
    const share = (at: number) => Math.floor((SLOTS * at) / NODES);
    await node.admin().call("CLUSTER", "ADDSLOTSRANGE", share(index), share(index + 1) - 1);
    await node.admin().call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  }
  for (const [index, { port }] of nodes.entries()) await nodes[0]?.admin().call("CLUSTER", "MEET", "127.0.0.1", port, String(buses[index]));
  await ready(nodes);
  const owned = stack.move();
  return { nodes, networks, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Resolves once every node serves every slot. */
export async function ready(nodes: readonly RedisServer[]): Promise<void> {
  for (const giveUpAt = Date.now() + MEET_TIMEOUT_MS; ; await delay(20)) {
    const infos = await Promise.all(nodes.map((node) => node.admin().call("CLUSTER", "INFO")));
    if (infos.every((info) => /cluster_state:ok/.test(String(info)) && String(info).includes(`cluster_known_nodes:${NODES}`))) return;
    if (Date.now() > giveUpAt) throw new Error(`The cluster does not come together:\n${infos.join("\n")}`);
  }
}
