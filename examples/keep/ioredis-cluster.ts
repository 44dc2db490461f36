import { Cluster } from "ioredis";
import { keep } from "warmline/keep";

/** A cluster's client. Its connections are one for each node it has asked. */
export const cluster = keep(
  "redis-cluster",
  async () => {
    const nodes = (process.env.REDIS_CLUSTER ?? "").split(",");
    const client = new Cluster(nodes, {
      lazyConnect: true,
      // a connection that is lost with commands on their way: 0 tells who called, any other number sends them once more
      retryDelayOnFailover: 0,
      clusterRetryStrategy: () => null,
      maxRedirections: 3,
      // a replica may be behind: what was just written is not there yet
      scaleReads: "master",
      slotsRefreshTimeout: 2_000,
      redisOptions: { connectTimeout: 3_000, commandTimeout: 2_000, socketTimeout: 2_000, autoResendUnfulfilledCommands: false },
    });
    client.on("error", () => {});
    try {
      await client.connect();
    } catch (error) {
      client.disconnect();
      throw error;
    }
    return client;
  },
  {
    isFresh: async (client, { idleMs }) => client.status === "ready" && (idleMs < 1_000 || (await answers(client))),
    close: (client) => client.disconnect(),
  },
);

/** Whether every node answers that has a connection. */
async function answers(client: Cluster): Promise<boolean> {
  const connected = client.nodes("master").filter(({ status }) => status !== "wait");
  const pongs = await Promise.all(connected.map((node) => node.ping()));
  return pongs.length > 0;
}
