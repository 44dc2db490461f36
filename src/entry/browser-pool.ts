import { inBrowser } from "./browser-refusal.ts";
import type { sharedPool as nodePool, WarmPoolOptions } from "./pool.ts";

export type { WarmPoolOptions } from "./pool.ts";

/**
 * As in Node, but in a browser there is no pool: a file that a client component reaches can be bundled as long as it makes none.
 *
 * @throws ConfigError always
 */
export class WarmPool {
  constructor(_options?: WarmPoolOptions) {
    throw inBrowser();
  }
}

/**
 * As in Node, but in a browser there is no pool.
 *
 * @throws ConfigError always
 */
export function sharedPool(_options?: WarmPoolOptions): ReturnType<typeof nodePool> {
  throw inBrowser();
}
