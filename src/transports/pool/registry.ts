import { VERSION } from "./version.ts";

/** What copies of any version find and fill: nothing in it may change its meaning. What stands there is read by copies of its own version alone. */
interface Registry {
  /** By version and room: of address, database, user and name. */
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

/** What is shared under a name, by every copy of this version. */
export interface Registered<Entry> {
  readonly entry: Entry;
  /** Takes the entry away, if it still stands there. */
  readonly remove: () => void;
}

/** What the registry has under a name; made and put there, if it has nothing. Versions share none, which is said once. */
export function registered<Entry>(
  name: string,
  { make, warn }: { readonly make: () => Entry; readonly warn: (message: string) => void },
): Registered<Entry> {
  warnOfVersions(warn);
  const { pools } = registry();
  const key = `${VERSION} ${name}`;
  const entry = (pools.get(key) as Entry | undefined) ?? make();
  pools.set(key, entry);
  return {
    entry,
    remove() {
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

/** Warns once where there are many pools; `poolsOf` counts those of an entry. */
export function warnOfMany<Entry>(poolsOf: (entry: Entry) => number, warn: (message: string) => void): void {
  const book = registry();
  if (book.warned) return;
  let count = 0;
  for (const [key, entry] of book.pools) if (key.startsWith(`${VERSION} `)) count += poolsOf(entry as Entry);
  if (count < MANY_POOLS) return;
  book.warned = true;
  warn(
    `${count} pools are open in this process. Close those that are done with, share one for each database, and make a password function once: each is an identity.`,
  );
}
