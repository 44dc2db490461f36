import pg from "pg";
import type { Database } from "../database/database.ts";
import { heldWork } from "../database/held-work.ts";
import { overPool } from "../decide/pool-size.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { databaseOn, type Platform } from "./create.ts";
import { poolMaker } from "./make-pool.ts";
import { nodePlatform } from "./node-platform.ts";
import { refuseHttp } from "./tcp-alone.ts";

export * from "./public.ts";

const platform: Omit<Platform, "transports"> = {
  ...nodePlatform,
  heldWork: () => heldWork,
  available: () => ({ choices: [overPool], webSocket: false }),
  parsers: pg.types,
  check(options) {
    refuseHttp(options);
    nodePlatform.check?.(options);
  },
};

/**
 * As in `warmline`, over TCP alone: no code for HTTP is in it, so a bundle of it is small. For Lambda, containers, and Workers over Hyperdrive. Handles of
 * both entries with the same settings share their connections.
 *
 * @throws ConfigError as `createDatabase` of `warmline`, and for `endpoint` and `transport: "http"`
 */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return databaseOn({ ...platform, transports: { pool: poolMaker() } })(options);
}
