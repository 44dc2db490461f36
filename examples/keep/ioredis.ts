import { Redis } from "ioredis";
import { keep } from "warmline/keep";

/** A client of ioredis, which is replaced rather than reconnected. */
export const redis = keep(
  "redis",
  async () => {
    const client = new Redis(process.env.REDIS_URL ?? "", {
      lazyConnect: true,
      connectTimeout: 3_000,
      // without it a command that was swallowed waits until the kernel gives the socket up, a quarter of an hour later
      commandTimeout: 2_000,
      socketTimeout: 2_000,
      // by default it reconnects by itself, sends what was on its way once more (an INCR counts twice), and lets calls wait for 20 attempts
      retryStrategy: () => null,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 3,
      // a primary that has become a replica keeps its connections, and refuses every write: with true this one ends, and is replaced
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
    });
    // whoever calls is told; without a listener each would be printed
    client.on("error", () => {});
    await client.connect();
    return client;
  },
  {
    isFresh: async (client, { idleMs }) => client.status === "ready" && (idleMs < 1_000 || (await isPrimary(client))),
    close: (client) => client.disconnect(),
  },
);

/** Behind an address that moves with a failover, what was the primary may still answer, and refuse every write. */
async function isPrimary(client: Redis): Promise<boolean> {
  const [role] = await client.role();
  return role === "master";
}
