import { VERSION } from "./version.ts";

/** What copies of any version find and fill: nothing in it may change its meaning. What stands there is read by copies of its own version alone. */
interface Registry {
  /** By version and identity. */
  readonly pools: Map<string, unknown>;
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

/** A number higher than any this process was given before: it names connections, and tells which of two handles is the newer. */
export function nextNumber(): number {
  return ++registry().connections;
}

/** So many pools at once are more likely a leak than a plan. */
const MANY_POOLS = 50;

/** Where the pool of an identity stands, for every copy of this version. */
export interface Place<Entry> {
  readonly entry: Entry | undefined;
  /** Puts an entry there, and warns where there are many. */
  readonly fill: (entry: Entry) => void;
  /** Takes the entry away, if it still stands there. */
  readonly clear: (entry: Entry) => void;
}

/** The place of an identity in the registry. Versions share none, which is said once. */
export function placeOf<Entry>(identity: string, warn: (message: string) => void): Place<Entry> {
  warnOfVersions(warn);
  const { pools } = registry();
  const key = `${VERSION} ${identity}`;
  return {
    entry: pools.get(key) as Entry | undefined,
    fill(entry) {
      pools.set(key, entry);
      warnOfMany(warn);
    },
    clear(entry) {
      if (pools.get(key) === entry) pools.delete(key);
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
