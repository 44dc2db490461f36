import type pg from "pg";
import { destroySocket } from "./client-state.ts";
import type { Checkout, Opened } from "./lease.ts";

/** What pg's pool does not show in its types. */
interface PgPool {
  readonly _clients: readonly pg.PoolClient[];
  newClient(pending: { readonly callback: Checkout }): void;
}

/** How long a goodbye may take, milliseconds: a swallowed connection never takes it. */
const GOODBYE_LIMIT_MS = 1_000;

/** Every connection of a pool, those that are still connecting among them. */
export function clientsOf(pool: pg.Pool): readonly pg.PoolClient[] {
  return (pool as unknown as PgPool)._clients;
}

/** Opens a connection beside those the pool may have: it takes the place of one that is silent. */
export function openBeside(pool: pg.Pool, opened: (error: Error | undefined, fresh: Opened | undefined) => void): void {
  (pool as unknown as PgPool).newClient({
    callback: (error, client, toPool) => opened(error, client && { client, toPool }),
  });
}

/** Takes an idle connection with `take` and ends it; resolves when the server has been told, or cannot be. */
export function endOneIdle(take: (taken: Checkout) => void): Promise<void> {
  return new Promise((resolve) => {
    take((_error, client, release) => {
      if (client === undefined) return resolve();
      const limit = setTimeout(() => destroySocket(client), GOODBYE_LIMIT_MS);
      client.once("end", () => {
        clearTimeout(limit);
        resolve();
      });
      release(true);
    });
  });
}

/** Takes a connection that turned out not to be needed: it is kept only if the pool has room. */
export function giveSurplus(pool: pg.Pool, { client, toPool }: Opened): void {
  const surplus = pool.totalCount > pool.options.max;
  if (surplus) destroySocket(client);
  toPool(surplus);
}
