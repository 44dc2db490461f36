import type { Database } from "../database/database.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { inBrowser } from "./browser-refusal.ts";

export * from "./public.ts";

/**
 * As in every entry, but in a browser there is no database.
 *
 * @throws ConfigError always
 */
export function createDatabase(_options?: DatabaseOptions | string): Database {
  throw inBrowser();
}
