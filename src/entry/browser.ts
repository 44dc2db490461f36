import type { Database } from "../database/database.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { ConfigError } from "../errors/errors.ts";

export * from "./public.ts";

/**
 * As in every entry, but in a browser there is no database: whoever is sent the page would be sent its password, too.
 *
 * @throws ConfigError always
 */
export function createDatabase(_options?: DatabaseOptions | string): Database {
  throw new ConfigError(
    "A browser must not hold the address of a database. Query in code that stays on the server, such as a route handler, a server component or a server action; where this is no browser, bundle with the condition node, workerd, edge-light or worker.",
    { code: "BROWSER", setting: "runtime" },
  );
}
