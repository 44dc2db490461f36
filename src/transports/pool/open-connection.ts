import type pg from "pg";
import { destroySocket } from "./client-state.ts";
import type { Opened, Release } from "./lease.ts";
import { isEnding, newClient } from "./pg-pool.ts";
import type { ServerLogin } from "./server-login.ts";
import { openInOrder } from "./servers-in-order.ts";
import type { WarmClient } from "./warm-client.ts";

/** What is read of a pool's options, and set for the client that is made next. */
interface OpeningOptions {
  connectionTimeoutMillis?: number;
  /** What is tried in order; undefined where there is one place to connect to, and all of it is in the other options. */
  readonly servers?: readonly ServerLogin[];
  /** Of these, where the next client connects to. */
  server?: ServerLogin | undefined;
}

/** How many servers are tried for a connection, at most. */
export function serversOf(pool: pg.Pool): number {
  return (pool.options as OpeningOptions).servers?.length ?? 1;
}

/** Told once of a connection that is in no lease yet, or why there is none. */
export type Taken = (error: Error | undefined, opened: Opened | undefined) => void;

/**
 * Opens a connection, whether the pool has idle ones or not, and however many there are. Gives its client; undefined where none could be made.
 * `opened` is told later.
 */
export function openConnection(pool: pg.Pool, opened: Taken): pg.PoolClient | undefined {
  const { servers } = pool.options as OpeningOptions;
  if (servers === undefined) return openClient(pool, opened);
  let first: pg.PoolClient | undefined;
  const attempt: Attempt = { client: undefined, isWanted: true };
  const open = (server: ServerLogin, done: Taken) => {
    attempt.client = openClient(pool, done, server);
    first ??= attempt.client;
    if (first !== undefined) attempts.set(first, attempt);
  };
  openInOrder({ servers, open, isWanted: () => attempt.isWanted && !isEnding(pool) }, opened);
  return first;
}

/** Opening a connection to the first of several servers that can be had. */
interface Attempt {
  /** That of the server that is tried now. */
  client: pg.PoolClient | undefined;
  isWanted: boolean;
}

/** By what stands for the connection: the client of the first server. */
const attempts = new WeakMap<pg.PoolClient, Attempt>();

/** Gives up a connection that is being opened, at whatever server that is, and tries no other. */
export function giveUpOpening(client: pg.PoolClient): void {
  const attempt = attempts.get(client);
  if (attempt !== undefined) attempt.isWanted = false;
  destroySocket(attempt?.client ?? client);
}

function openClient(pool: pg.Pool, opened: Taken, server?: ServerLogin): pg.PoolClient | undefined {
  const options = pool.options as OpeningOptions;
  const { connectionTimeoutMillis } = options;
  if (server !== undefined) options.server = server;
  // the client bounds connecting by itself; pg reads this while it makes one, and would bound it as well
  if (connectionTimeoutMillis) options.connectionTimeoutMillis = 0;
  try {
    return newClient(pool, (error, client, toPool) => opened(error, client && { client, toPool }));
  } catch (thrown) {
    // by what the caller gave to make it of, such as a stream
    process.nextTick(opened, thrown, undefined);
    return undefined;
  } finally {
    if (connectionTimeoutMillis) options.connectionTimeoutMillis = connectionTimeoutMillis;
    if (server !== undefined) options.server = undefined;
  }
}

/**
 * Opens a connection as well, and gives it as soon as its login has written its last message, if `mayGive` says so then. What fails after that
 * is told to what was sent on it; it belongs to the pool, and can be given back, once it is open.
 */
export function openEarly(pool: pg.Pool, opened: Taken, mayGive: () => boolean): pg.PoolClient | undefined {
  let toPool: Release = () => {};
  const client = openConnection(pool, (error, fresh) => {
    // pg may still write it when the login has failed
    if (client !== undefined) client.onLastWord = undefined;
    if (!client?.isEarly) opened(error, fresh);
    else if (fresh !== undefined) ({ toPool } = fresh);
  }) as (WarmClient & pg.PoolClient) | undefined;
  if (client === undefined) return undefined;
  client.onLastWord = () => {
    client.onLastWord = undefined;
    client.isEarly = mayGive();
    if (client.isEarly) opened(undefined, { client, toPool: (destroy) => toPool(destroy) });
  };
  return client;
}
