import { VERSION } from "./version.ts";
import type { WarmPool } from "./warm-pool.ts";

interface Entry {
  readonly pool: WarmPool;
  /** What the pool was made from; a change of it means another pool. */
  readonly fingerprint: string;
  handles: number;
}

/** What copies of any version find and fill: nothing in it may change its meaning. An entry is read by copies of its own version alone. */
interface Registry {
  /** By version and identity. */
  readonly pools: Map<string, Entry>;
  /** Of the copies that have asked for a pool. */
  readonly versions: Set<string>;
  connections: number;
  warned: boolean;
}

const place = Symbol.for("warmline.registry.v1");

/** The one registry of this process: bundlers and reloads evaluate modules more than once, `globalThis` they share. */
function registry(): Registry {
  const home = globalThis as { [place]?: Registry };
  home[place] ??= { pools: new Map(), versions: new Set(), connections: 0, warned: false };
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

/** A caller's share of a pool. */
export interface PoolShare {
  readonly pool: WarmPool;
  /** Gives the share up; the last one ends the pool. */
  readonly release: () => Promise<void>;
}

/** The pool of this identity, made if there is none. One with another configuration is drained: it serves what it has, and ends. */
export function sharePool(request: PoolRequest): PoolShare {
  warnOfVersions(request.warn);
  const { pools } = registry();
  const key = `${VERSION} ${request.identity}`;
  let entry = pools.get(key);
  if (entry !== undefined && (entry.fingerprint !== request.fingerprint || entry.pool.closing)) {
    pools.delete(key);
    if (!entry.pool.closing) void entry.pool.end();
    entry = undefined;
  }
  if (entry === undefined) {
    entry = { pool: request.create(), fingerprint: request.fingerprint, handles: 0 };
    pools.set(key, entry);
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
      if (pools.get(key) === held) pools.delete(key);
      await held.pool.end();
    },
  };
}

/** Versions share no pool, for nobody knows what another one expects of it; so a process of two may hold twice the connections. */
function warnOfVersions(warn: (message: string) => void): void {
  const { versions } = registry();
  if (versions.has(VERSION)) return;
  versions.add(VERSION);
  if (versions.size === 1) return;
  warn(`versions ${[...versions].join(" and ")} of this package are loaded in one process, and share no pool. Install one of them.`);
}

function warnOfMany(warn: (message: string) => void): void {
  const book = registry();
  if (book.pools.size < MANY_POOLS || book.warned) return;
  book.warned = true;
  warn(`${book.pools.size} pools are open in this process. Close databases that are done with, or share one for each database.`);
}
