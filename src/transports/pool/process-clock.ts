import { steadyClock } from "../steady-clock.ts";
import type { Clock } from "../transport.ts";

/** What a realm tells time and chance by. */
interface Sources {
  readonly now: () => number;
  readonly random: () => number;
}

let own: Sources | undefined;

/**
 * Those of a realm nobody else is in, made once; where the runtime makes none, what is nearest to them.
 * Costs a millisecond and 0.4 MB `[M]`, so it is made where somebody stands guard, and nowhere else.
 */
function ownRealm(): Sources {
  try {
    own ??= process.getBuiltinModule("node:vm").runInNewContext("({ now: Date.now, random: Math.random })") as Sources;
  } catch {
    own = { now: steadyClock.now, random: Math.random };
  }
  return own;
}

/**
 * Asks one of them past whoever stands guard before it. Next.js replaces both by functions that end a prerender which asks, for what is
 * rendered must not depend on them; here nothing is rendered from either: they measure, and spread. A function that does not pretend to be
 * the built-in one is a clock that somebody set, and is asked.
 * Source: Next.js, server/node-environment-extensions.
 */
function unguarded(name: keyof Sources, find: () => () => number): () => number {
  let seen: (() => number) | undefined;
  let ask = find();
  return () => {
    const found = find();
    if (found !== seen) {
      seen = found;
      ask = isGuard(name, found) ? ownRealm()[name] : found;
    }
    return ask();
  };
}

function isGuard(name: string, found: () => number): boolean {
  const text = Function.prototype.toString.call(found);
  return text.includes("[native code]") && !text.startsWith(`function ${name}(`);
}

/** The wall clock of this process, which goes on in a frozen environment; a prerender of Next.js is not ended by it. */
export const processClock: Clock = { ...steadyClock, now: unguarded("now", () => Date.now) };

/** Chance, from 0 to 1, likewise. */
export const processRandom: () => number = unguarded("random", () => Math.random);
