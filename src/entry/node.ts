import pg from "pg";
import type { Database } from "../database/database.ts";
import { heldWork } from "../database/held-work.ts";
import { overPool } from "../decide/pool-size.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { overHttp } from "../decide/transport-choice.ts";
import { databaseOn, type Platform } from "./create.ts";
import { poolMaker } from "./make-pool.ts";
import { nodePlatform } from "./node-platform.ts";

export * from "./public.ts";

const platform: Platform = {
  ...nodePlatform,
  heldWork: () => heldWork,
  // Node loads the whole of undici, some 20 ms, where the name is so much as read
  available: () => ({ choices: [overPool, overHttp], webSocket: "WebSocket" in globalThis }),
  // loaded when it is chosen: a function that only uses the pool does not pay for the other driver
  transports: { http: async (input) => (await import("./make-node-http.ts")).makeNodeHttp(input) },
  parsers: pg.types,
};

/**
 * A handle on one database: runtime, target and transport are found by themselves, and every choice can be overridden. A string is the
 * setting `url`. Nothing is connected before the first call.
 *
 * @throws ConfigError for options that are wrong in themselves; what only the environment can tell is thrown by the first call, and by
 * `plan`
 */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return databaseOn({ ...platform, transports: { ...platform.transports, pool: poolMaker() } })(options);
}
