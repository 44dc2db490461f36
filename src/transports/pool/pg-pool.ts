import type pg from "pg";
import { throwOn } from "../../wire/driver-parser.ts";
import type { Checkout, Opened } from "./lease.ts";

/** What pg's pool does not show in its types. */
interface PgPool {
  _clients: readonly pg.PoolClient[];
  readonly _idle: IdleItem[];
  newClient(pending: { readonly callback: Checkout }): void;
  _release(client: pg.PoolClient, idleListener: (error: Error) => void, destroy?: Error | boolean): void;
  _remove(client: pg.PoolClient, callback?: () => void): void;
  readonly _expired: WeakSet<pg.PoolClient>;
  _pulseQueue(): void;
  _endCallback: (() => void) | undefined;
}

/** A connection that nobody holds, as pg's pool keeps it. */
interface IdleItem {
  readonly client: pg.PoolClient;
  readonly idleListener: (error: Error) => void;
  /** Ends it when nobody takes it for long. */
  timeoutId?: NodeJS.Timeout | undefined;
  /** How long that is, of a timer of ours, which runs on while the connection is used. */
  timeoutMs?: number;
}

/** What pg's pool keeps of a client, and does not show in its types. */
interface PooledClient {
  readonly _queryable: boolean;
  readonly _ending: boolean;
  _poolUseCount?: number;
  ref(): void;
  unref(): void;
}

/** What pg's pool reads of its options. */
interface ReleaseOptions {
  readonly idleTimeoutMillis: number;
  readonly allowExitOnIdle: boolean;
  readonly maxUses: number;
  readonly min: number;
}

const insideOf = (pool: pg.Pool): PgPool => pool as unknown as PgPool;

/** Has the pool make a client, whether it has idle ones or not, and however many there are; `opened` is told once. Throws what making one throws. */
export function newClient(pool: pg.Pool, opened: Checkout): pg.PoolClient | undefined {
  const inside = insideOf(pool);
  const others = [...inside._clients];
  try {
    inside.newClient({ callback: opened });
  } catch (thrown) {
    // one that was made, and cannot connect, is none of the pool's
    inside._clients = others;
    throw thrown;
  }
  return clientsOf(pool).at(-1);
}

/** Every connection of a pool, those that are still connecting among them. */
export function clientsOf(pool: pg.Pool): readonly pg.PoolClient[] {
  return insideOf(pool)._clients;
}

/** The connection that is idle longest. */
export function oldestIdleOf(pool: pg.Pool): pg.PoolClient | undefined {
  return insideOf(pool)._idle[0]?.client;
}

/**
 * Takes the idle connection that was used last, if there is one: what pg's own checkout does, which waits a tick, in which it may be ended for
 * somebody else.
 */
export function takeIdle(pool: pg.Pool): Opened | undefined {
  const inside = insideOf(pool);
  const idle = inside._idle.pop();
  if (idle === undefined) return undefined;
  const { client, idleListener } = idle;
  if (idle.timeoutMs === undefined) clearTimeout(idle.timeoutId);
  // pg does not let an idle connection keep the process
  (client as unknown as PooledClient).ref();
  client.removeListener("error", idleListener);
  pool.emit("acquire", client);
  return { client, toPool: (destroy) => putBack(pool, idle, destroy) };
}

/** What pg's own release does, with one timer for a connection in place of one for each time it is idle. */
function putBack(pool: pg.Pool, idle: IdleItem, destroy: Error | boolean | undefined): void {
  const inside = insideOf(pool);
  const { client, idleListener } = idle;
  const pooled = client as unknown as PooledClient;
  const { idleTimeoutMillis, allowExitOnIdle, maxUses } = pool.options as unknown as ReleaseOptions;
  const uses = (pooled._poolUseCount ?? 0) + 1;
  pooled._poolUseCount = uses;
  client.on("error", idleListener);
  pool.emit("release", (destroy || undefined) as Error, client);
  const isExpired = inside._expired.delete(client);
  if (destroy || isEnding(pool) || !pooled._queryable || pooled._ending || uses >= maxUses || isExpired) {
    clearTimeout(idle.timeoutId);
    inside._remove(client, () => inside._pulseQueue());
    return;
  }
  restart(pool, idle, idleTimeoutMillis);
  if (allowExitOnIdle) {
    idle.timeoutId?.unref();
    pooled.unref();
  }
  inside._idle.push(idle);
}

/** Whether connections that are given back are ended: a pool that only takes nobody new still serves those who wait. */
export function isEnding(pool: pg.Pool): boolean {
  return insideOf(pool)._endCallback !== undefined;
}

/** Ends every connection, those that somebody holds when they are given back; resolves when there is none. */
export function endConnections(pool: pg.Pool): Promise<void> {
  return new Promise((resolve) => {
    insideOf(pool)._endCallback = resolve;
    insideOf(pool)._pulseQueue();
  });
}

/** Has connections given back in our way, also those that are given back for the first time; nobody waits in pg's own queue. */
export function takeOver(pool: pg.Pool): void {
  const inside = insideOf(pool);
  const pulse = inside._pulseQueue.bind(inside);
  inside._release = (client, idleListener, destroy) => putBack(pool, { client, idleListener }, destroy);
  inside._pulseQueue = () => {
    if (isEnding(pool)) pulse();
  };
  const emit = pool.emit.bind(pool) as (...told: readonly unknown[]) => boolean;
  // what a listener throws is as uncaught as it is from pg, and the connection goes where it has to
  pool.emit = (...told: readonly unknown[]) => {
    try {
      return emit(...told);
    } catch (thrown) {
      if (!ofPg.test(String(told[0]))) throw thrown;
      throwOn(thrown);
      return true;
    }
  };
}

/** What pg's pool tells. */
const ofPg = /^(connect|acquire|release|remove|error)$/;

/** Begins to count how long nobody takes a connection. */
function restart(pool: pg.Pool, idle: IdleItem, limitMs: number): void {
  if (idle.timeoutMs === limitMs) {
    idle.timeoutId?.refresh();
    return;
  }
  clearTimeout(idle.timeoutId);
  idle.timeoutMs = limitMs;
  idle.timeoutId = limitMs > 0 ? setTimeout(() => endLongIdle(pool, idle), limitMs) : undefined;
}

/** Ends a connection that was idle for long, unless it is in use by now, or there would be too few. */
function endLongIdle(pool: pg.Pool, idle: IdleItem): void {
  const inside = insideOf(pool);
  const { min } = pool.options as unknown as ReleaseOptions;
  if (inside._clients.length > min && inside._idle.includes(idle)) inside._remove(idle.client);
}

/** Ends a connection, idle or not, by a goodbye. */
export function endConnection(pool: pg.Pool, client: pg.PoolClient): void {
  const inside = insideOf(pool);
  inside._remove(client, () => inside._pulseQueue());
}

/** Calls `leaving` with each connection that leaves the pool, before its goodbye is said, and what that gives when it is gone. */
export function watchRemovals(pool: pg.Pool, leaving: (client: pg.PoolClient) => () => void): void {
  const inside = insideOf(pool);
  const remove = inside._remove.bind(inside);
  inside._remove = (client, callback) => {
    // pg does not let an idle connection keep the process; its goodbye does
    (client as unknown as { ref(): void }).ref();
    const gone = leaving(client);
    remove(client, () => {
      gone();
      callback?.();
    });
  };
}
