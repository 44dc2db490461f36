import type { KeepOptions } from "./options.ts";
import { within } from "./within.ts";

/** How a thing is created, judged and closed. */
export interface Recipe<T> extends KeepOptions<T> {
  readonly key: string;
  readonly create: () => T | Promise<T>;
}

/** What stands under a key: at most one thing. */
export interface Entry<T> {
  /** Has it created in another way from now on, if this is another. */
  define(recipe: Recipe<T>): void;
  /** Runs `work` with the thing. */
  use<R>(work: (thing: T) => R | Promise<R>): Promise<R>;
  /** Ends the thing, also one that is being created. */
  close(): Promise<void>;
}

/** A thing that was created. */
interface Item<T> {
  isFresh(): Promise<boolean>;
  use<R>(work: (thing: T) => R | Promise<R>): Promise<R>;
  /** Closes it as soon as nobody uses it. */
  end(): Promise<void>;
}

/** Opens the place of a key. */
export function openEntry<T>(recipe: Recipe<T>): Entry<T> {
  let current: Item<T> | undefined;
  /** For what all wait who call while the thing is looked at, or created. */
  let turn: Promise<Item<T>> | undefined;

  const end = async () => {
    const ended = current;
    current = undefined;
    await ended?.end();
  };
  /** Where nobody is told how that goes. */
  const discard = () => end().catch(() => {});

  const next = async () => {
    const item = current;
    if (item && (await item.isFresh())) return item;
    discard();
    const own = recipe;
    const made = await make(own);
    current = made;
    // how it is created may have changed meanwhile: who waits asks again
    if (own !== recipe) discard();
    return made;
  };

  const use: Entry<T>["use"] = async (work) => {
    turn ??= next().finally(() => {
      turn = undefined;
    });
    const item = await turn;
    // it may have been replaced since
    return item === current ? item.use(work) : use(work);
  };

  return {
    use,
    define(other) {
      if (other.fingerprint === recipe.fingerprint) return;
      recipe = other;
      discard();
    },
    async close() {
      await turn?.catch(() => {});
      await end();
    },
  };
}

async function make<T>(recipe: Recipe<T>): Promise<Item<T>> {
  const { key, create, isFresh = () => true, createTimeoutMs = 10_000, checkTimeoutMs = 250 } = recipe;
  // a goodbye that takes longer is one to nobody
  const close = (thing: T) => within(key, "CLOSE", 1_000, () => recipe.close?.(thing));
  const thing = await within(key, "CREATE", createTimeoutMs, create, close);
  let usedAt = Date.now();
  /** How old it was then; a clock that was set back makes nothing younger. */
  let age = 0;
  let users = 0;
  let leave: (() => void) | undefined;
  const idle = () => Math.abs(Date.now() - usedAt);
  const count = (change: 1 | -1) => {
    age += idle();
    usedAt = Date.now();
    users += change;
    if (!users) leave?.();
  };
  return {
    isFresh: () => within(key, "", checkTimeoutMs, () => isFresh(thing, { idleMs: idle(), ageMs: age + idle() })).catch(() => false),
    async use(work) {
      count(1);
      try {
        return await work(thing);
      } finally {
        count(-1);
      }
    },
    async end() {
      if (users) {
        await new Promise<void>((resolve) => {
          leave = resolve;
        });
      }
      await close(thing);
    },
  };
}
