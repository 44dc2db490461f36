import { nextNumber, placeOf } from "./registry.ts";
import type { WarmPool } from "./warm-pool.ts";

/** What of a configuration the transport has to know besides the pool made from it. */
export interface PoolTraits {
  /** Whether a pooler stands between this pool and Postgres. */
  readonly pooled: boolean;
  /** Whether a CancelRequest reaches the statement. */
  readonly cancel: boolean;
  /** Bounds each exchange where the server was not told to; null for no bound of its own. */
  readonly statementTimeoutMs: number | null;
}

/** Which pool is wanted, and by whom. */
export interface PoolRequest {
  /** The setting `name`, or host, port, database and user. */
  readonly identity: string;
  /** The rest of the configuration, its password hashed. */
  readonly fingerprint: string;
  readonly traits: PoolTraits;
  readonly create: () => WarmPool;
  /** Shown each pool of this identity once, by the newest configuration that has such a function; null for none. */
  readonly onPool: ((pool: WarmPool) => void) | null;
  /**
   * Which of two configurations is the newer: the number its handle was given when it was made. Left out by who asks again and again, and
   * never releases: then the first time this configuration was asked for counts.
   */
  readonly order?: number;
  readonly warn: (message: string) => void;
}

/** The pool of an identity as it is now. */
export interface CurrentPool {
  readonly pool: WarmPool;
  readonly traits: PoolTraits;
  /** What the pool was made from; a change of it means another pool. */
  readonly fingerprint: string;
}

/** What the handles of one identity share. The pool in it changes when the newest of their configurations does. */
export interface SharedPool {
  current: CurrentPool;
  /** What is wanted by those who share it, each with its order. */
  readonly wanted: Map<PoolRequest | string, PoolRequest & { readonly order: number }>;
  onPool: PoolRequest["onPool"];
  /** Whether it has been said that configurations differ. */
  warned: boolean;
}

/** A caller's share of the pool of an identity. */
export interface PoolShare {
  /** To be asked at every call: a pool that was replaced takes no new work. */
  readonly entry: Pick<SharedPool, "current">;
  /** Gives the share up; the last one ends the pool. */
  readonly release: () => Promise<void>;
}

/**
 * A share of the pool of this identity, which is made if there is none. Where configurations differ the newest one holds for all: the pool
 * before it is drained, serving what it has. When the newest is released, the newest of the rest holds.
 */
export function sharePool(request: PoolRequest): PoolShare {
  const place = placeOf<SharedPool>(request.identity, request.warn);
  const key = request.order === undefined ? request.fingerprint : request;
  const order = request.order ?? place.entry?.wanted.get(key)?.order ?? nextNumber();
  const entry = place.entry ?? makeEntry(request);
  if (place.entry === undefined) place.fill(entry);
  entry.wanted.set(key, { ...request, order });
  warnOfDifference(entry, request);
  entry.onPool ??= request.onPool;
  useNewest(entry);
  show(entry);
  let released = false;
  return {
    entry,
    async release() {
      if (released) return;
      released = true;
      entry.wanted.delete(key);
      const { pool } = entry.current;
      if (entry.wanted.size > 0) {
        if (!pool.closing) useNewest(entry);
        return;
      }
      place.clear(entry);
      if (!pool.closing) await pool.end();
    },
  };
}

function makeEntry(request: PoolRequest): SharedPool {
  return { current: make(request), wanted: new Map(), onPool: null, warned: false };
}

function make({ create, traits, fingerprint }: PoolRequest): CurrentPool {
  return { pool: create(), traits, fingerprint };
}

/** Puts the pool of the newest configuration in the place of one of another, or of one that somebody has ended. */
function useNewest(entry: SharedPool): void {
  const { pool, fingerprint } = entry.current;
  const newest = [...entry.wanted.values()].reduce((one, other) => (other.order > one.order ? other : one));
  if (newest.fingerprint === fingerprint && !pool.closing) return;
  entry.current = make(newest);
  // whoever listens goes on listening to both
  entry.current.pool.state.audiences = pool.state.audiences;
  entry.onPool = newest.onPool ?? entry.onPool;
  show(entry);
  if (!pool.closing) void pool.end();
}

/** Handles share the pool, and one that looks after it is enough. */
function show({ onPool, current: { pool } }: SharedPool): void {
  if (onPool === null || pool.state.shown) return;
  pool.state.shown = true;
  onPool(pool);
}

function warnOfDifference(entry: SharedPool, { fingerprint, warn }: PoolRequest): void {
  if (entry.warned || entry.current.fingerprint === fingerprint) return;
  entry.warned = true;
  warn(
    "Databases of one name, or of one host, port, database and user, were made with different settings. All of them use the newest. Keep the settings in one place, or give each its own name. Said once.",
  );
}
