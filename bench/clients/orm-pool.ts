import pg from "pg";
import { WarmPool } from "warmline/pool";
import type { Client, ClientOptions, OpenClient } from "../client.ts";

/** An ORM that asks for an item by its key. */
type MakeAsk = (pool: pg.Pool) => (id: number) => Promise<unknown>;

/** Opens an ORM over a pool of pg's. */
export const overPg =
  (make: MakeAsk): OpenClient =>
  ({ url, max }) =>
    over(new pg.Pool({ connectionString: url, max }), make);

/** Opens the same over a pool of ours. */
export const overWarmPool =
  (make: MakeAsk): OpenClient =>
  ({ url, max }: ClientOptions) =>
    over(new WarmPool({ url, max }), make);

function over(pool: pg.Pool, make: MakeAsk): Client {
  const ask = make(pool);
  return {
    ask: (_, [id]) => ask(id as number),
    close: () => pool.end(),
  };
}
