import pg from "pg";
import type { DatabaseEvent, Watched } from "../../src/dashboard/watched.ts";

/** A pool of pg's as it is without warmline, that tells of itself in warmline's words. */
export interface BarePool {
  query(text: string, values: readonly unknown[]): Promise<void>;
  stats(): ReturnType<Watched["stats"]>;
  end(): Promise<void>;
}

/** Used as pg's documentation has it: `pool.query`, and a listener for errors of idle clients, without which the first of them ends the process. */
export function makeBarePool(options: pg.PoolConfig, tell: (event: DatabaseEvent) => void): BarePool {
  const pool = new pg.Pool(options);
  const ids = new WeakMap<pg.PoolClient, string>();
  const served = new WeakSet<pg.PoolClient>();
  let connects = 0;
  let reuses = 0;
  let discarded = 0;
  let running = 0;
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    connects++;
    const connectionId = `pg-${connects}`;
    ids.set(client, connectionId);
    // as pool.query has it while a call is on its way
    client.on("error", () => {});
    tell({ type: "connect", transport: "pool", connectionId, durationMs: 0 });
  });
  pool.on("remove", (client) => {
    discarded++;
    tell({ type: "discard", transport: "pool", connectionId: ids.get(client) ?? "pg", reason: "lost" });
  });

  return {
    async query(text, values) {
      const startedAt = Date.now();
      const began = performance.now();
      const call = () =>
        ({
          type: "query",
          operation: "query",
          within: null,
          texts: [text],
          startedAt,
          durationMs: performance.now() - began,
          attempts: 1,
        }) as const;
      running++;
      let client: pg.PoolClient | undefined;
      try {
        // what pool.query does, in two steps, so that it is known which client served it
        client = await pool.connect();
        const reused = served.has(client);
        const { rowCount } = await client.query(text, [...values]);
        served.add(client);
        if (reused) reuses++;
        const via = { transport: "pool", connectionId: ids.get(client) ?? "pg", reused, pipelined: false, attempts: 1, totalMs: 0 };
        tell({ ...call(), failure: null, via: via as never, rowCount, returnedRows: rowCount });
        client.release();
      } catch (error) {
        tell({ ...call(), failure: failureOf(error), via: null, rowCount: null, returnedRows: null });
        client?.release(true);
      } finally {
        running--;
      }
    },
    stats: () => ({
      transport: "pool",
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      connects,
      reuses,
      probes: 0,
      discarded,
      running,
      ...lacking,
    }),
    end: () => pool.end(),
  };
}

/** What it has not. */
const lacking = { retries: null as never, pipelined: null as never, thaws: null as never, leaks: null as never, breaker: null as never };

/** pg's error as it comes. What became of the statement it does not say. */
function failureOf(error: unknown) {
  const { code = "no code", message } = error as { readonly code?: string; readonly message: string };
  return { code, fate: null, sqlState: /^[0-9A-Z]{5}$/.test(code) ? code : null, message, excerpt: null };
}
