import type { Database } from "../database/database.ts";
import { textParsers } from "../database/text-parsers.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { databaseOn } from "./create.ts";
import { httpAlone } from "./http-alone.ts";
import { makeAgentHttp } from "./make-agent-http.ts";
import { nodePlatform } from "./node-platform.ts";

export * from "./public.ts";

const create = databaseOn({ ...nodePlatform, parsers: textParsers, available: () => httpAlone, transports: { http: makeAgentHttp } });

/**
 * As in `warmline`, for queries and batches over HTTP alone: nothing that opens a session, and no pool, is in it. `transaction`, `session`, `stream` and
 * `script` are refused with NO_SESSION.
 */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return create(options);
}
