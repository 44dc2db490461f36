import { redis } from "../../../examples/keep/ioredis.ts";
import { mysql } from "../../../examples/keep/mysql2.ts";
import { closeOnShutdown } from "../../../src/adapters/lambda.ts";

await closeOnShutdown(redis, mysql);

/** Asks both, as a function would that reads through a cache. */
export async function handler({ id }: { readonly id: string }): Promise<void> {
  const client = await redis();
  if ((await client.get(id)) === null) await client.incr(id);
  await (await mysql()).query("insert into rounds (id) values (?)", [id]);
}
