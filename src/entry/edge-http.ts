import type { Database } from "../database/database.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { databaseOn } from "./create.ts";
import { edgePlatform } from "./edge-platform.ts";
import { httpAlone, makeHttpAlone } from "./http-alone.ts";

export * from "./public.ts";

const create = databaseOn({ ...edgePlatform, available: () => httpAlone, transports: { http: makeHttpAlone } });

/**
 * As in `warmline`, for queries and batches over HTTP alone: nothing that opens a session is in it. `transaction`, `session`, `stream` and `script` are
 * refused with NO_SESSION.
 */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return create(options);
}
