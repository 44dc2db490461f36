import type { WarmPool } from "./warm-pool.ts";

interface Entry {
  readonly pool: WarmPool;
  /** What the pool was made from; a change of it means another pool. */
  readonly fingerprint: string;
  handles: number;
}

interface Registry {
  readonly pools: Map<string, Entry>;
  connections: number;
  warned: boolean;
}

const place = Symbol.for("warmline.registry.v1");

/** The one registry of this process: bundlers and reloads evaluate modules more than once, `globalThis` they share. */
function registry(): Registry {
  const home = globalThis as { [place]?: Registry };
  home[place] ??= { pools: new Map(), connections: 0, warned: false };
  return home[place];
}

/** A number no other connection of this process has. */
export function nextConnectionNumber(): number {
  return ++registry().connections;
}

/** Which pool is wanted. */
export interface PoolRequest {
  /** The setting `name`, or host, port, database and user. */
  readonly identity: string;
  /** The rest of the configuration, its password hashed. */
  readonly fingerprint: string;
  readonly create: () => WarmPool;
  readonly warn: (message: string) => void;
}

/** So many pools at once are more likely a leak than a plan. */
const MANY_POOLS = 50;

/**
 * The pool of this identity, made if there is none. One with another configuration is drained: it serves what it has, and ends. `release`
 * gives up the caller's share; the last one ends the pool.
 */
export function sharePool(request: PoolRequest): { readonly pool: WarmPool; readonly release: () => Promise<void> } {
  const { pools } = registry();
  let entry = pools.get(request.identity);
  if (entry !== undefined && (entry.fingerprint !== request.fingerprint || entry.pool.closing)) {
    pools.delete(request.identity);
    if (!entry.pool.closing) void entry.pool.end();
    entry = undefined;
  }
  if (entry === undefined) {
    entry = { pool: request.create(), fingerprint: request.fingerprint, handles: 0 };
    pools.set(request.identity, entry);
    warnOfMany(request.warn);
  }
  const held = entry;
  held.handles++;
  let released = false;
  return {
    pool: held.pool,
    async release() {
      if (released) return;
      released = true;
      if (--held.handles > 0 || held.pool.closing) return;
      if (pools.get(request.identity) === held) pools.delete(request.identity);
      await held.pool.end();
    },
  };
}

function warnOfMany(warn: (message: string) => void): void {
  const book = registry();
  if (book.pools.size < MANY_POOLS || book.warned) return;
  book.warned = true;
  warn(`${book.pools.size} pools are open in this process. Close databases that are done with, or share one for each database.`);
}
