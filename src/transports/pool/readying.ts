import type pg from "pg";
import { ConnectionError } from "../../errors/errors.ts";
import type { Taken } from "./lease.ts";
import { endConnection } from "./pg-pool.ts";

/** What makes a new connection ready before anybody gets it, and how long that may take: milliseconds, 0 for no bound. */
interface ReadyingOptions {
  readonly onConnect?: unknown;
  readonly verify?: unknown;
  readonly connectTimeoutMillis?: number;
}

/**
 * Bounds what the caller has a new connection made ready by, from when its login is over: pg waits for it for good. `make` makes the client, and
 * tells what becomes of it; one that is ready too late has been ended.
 */
export function limitReadying(pool: pg.Pool, opened: Taken, make: (told: Taken) => pg.PoolClient | undefined): pg.PoolClient | undefined {
  const { onConnect, verify, connectTimeoutMillis: limitMs = 0 } = pool.options as ReadyingOptions;
  if (limitMs === 0 || (onConnect ?? verify) === undefined) return make(opened);
  let told = false;
  let limit: NodeJS.Timeout | undefined;
  const client = make((error, fresh) => {
    clearTimeout(limit);
    if (told) return fresh?.toPool(true);
    told = true;
    opened(error, fresh);
  });
  client?.once("connect", () => {
    // most are ready by now
    if (told) return;
    limit = setTimeout(() => {
      told = true;
      opened(readyTimeout(onConnect === undefined ? "verify" : "onConnect", limitMs), undefined);
      endConnection(pool, client);
    }, limitMs);
  });
  return client;
}

function readyTimeout(hook: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(`\`${hook}\` took over ${timeoutMs} ms (connectionTimeoutMillis). Check what it waits for.`, {
    code: "CONNECT_TIMEOUT",
    fate: "not-sent",
    retryable: true,
  });
}
