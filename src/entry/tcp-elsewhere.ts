import type { Database } from "../database/database.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { ConfigError } from "../errors/errors.ts";

export * from "./public.ts";

/**
 * As in `warmline/tcp`, but here are no sockets.
 *
 * @throws ConfigError always
 */
export function createDatabase(_options?: DatabaseOptions | string): Database {
  throw new ConfigError(
    'There are no sockets here for warmline/tcp. Import createDatabase from "warmline", which speaks HTTP; where there are some, bundle with the condition node, bun, deno or workerd.',
    { code: "NO_TRANSPORT", setting: "runtime" },
  );
}
