import { type Entry, openEntry } from "./entry.ts";
import type { KeepOptions, Kept } from "./options.ts";

export type { KeepOptions, Kept, KeptAge, KeptScope } from "./options.ts";

/**
 * What Vercel's runtime tells of the request that is served.
 * Source: `@vercel/functions` 3.9, which reads the same symbol.
 */
interface VercelRequest {
  waitUntil?(promise: Promise<unknown>): void;
  /** When the platform ends the request, as a date in text. */
  readonly deadline?: string;
}

interface Surroundings {
  [place: symbol]: { get?(): VercelRequest | undefined } | undefined;
}

/**
 * Keeps one of something for as long as the runtime lets it live: a pool, a client, an agent. There is one for each `key` in the process,
 * however often a bundler or a reload evaluates the module that says so. Where its `fingerprint` is not that of the last who said so, the
 * thing is replaced, and every handle of the key gives the new one. In Workers there is one for each request.
 *
 * Calls at the same time share one creation; one that failed is not kept.
 *
 * @example const mysql = keep("mysql", () => createPool(process.env.MYSQL_URL), { close: (pool) => pool.end() });
 *          export const handler = async () => (await mysql()).query("select 1");
 */
export function keep<T>(key: string, create: () => T | Promise<T>, options: KeepOptions<T> = {}): Kept<T> {
  const { idleMs = 5_000, fingerprint = [create, options.isFresh, options.close].join() } = options;
  const recipe = { ...options, key, create, fingerprint };
  // bundlers and reloads evaluate modules more than once, `globalThis` they share; what copies of any version find there may not change its meaning
  // biome-ignore lint/suspicious/noAssignInExpressions: what is made is what is given
  const entries = ((globalThis as { [place: symbol]: Map<string, Entry<T>> })[Symbol.for("warmline.keep.v1")] ??= new Map());
  const entry = entries.get(key) ?? releaseIdle(openEntry(recipe), idleMs);
  entries.set(key, entry);
  entry.define(recipe);

  return Object.assign(() => entry.use((thing) => thing), entry, { scope: <R>(_: unknown, work: () => R) => work() });
}

/** Keeps a Vercel instance awake until the thing has gone unused for its time, or the request has a second left, and ends it then. */
function releaseIdle<T>(entry: Entry<T>, idleMs: number): Entry<T> {
  let users = 0;
  let begun = 0;
  const use: Entry<T>["use"] = async (work) => {
    users++;
    begun++;
    try {
      return await entry.use(work);
    } finally {
      try {
        // while others use it, theirs is the last
        const own = --users ? 0 : begun;
        const request = (globalThis as unknown as Surroundings)[Symbol.for("@vercel/request-context")]?.get?.();
        const leftMs = Date.parse(request?.deadline as string) - Date.now() - 1_000;
        request?.waitUntil?.(
          new Promise((resolve) => setTimeout(resolve, leftMs < idleMs ? leftMs : Math.min(idleMs, 2e9))).then<unknown>(
            () => own === begun && entry.close().catch(() => {}),
          ),
        );
      } catch {
        // the request is over, and keeps nothing awake
      }
    }
  };
  return { ...entry, use };
}
