import type { Database } from "../database/database.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { databaseOn } from "./create.ts";
import { hyperdrive } from "./hyperdrive.ts";
import { refuseHttp } from "./tcp-alone.ts";
import { workerdPlatform } from "./workerd-platform.ts";

export * from "./public.ts";

const create = databaseOn({
  ...workerdPlatform,
  available: () => ({ choices: [], webSocket: false }),
  transports: {},
  check: refuseHttp,
  tcp: hyperdrive(),
});

/**
 * As in `warmline`, over the sockets of each request alone. Without the setting `tcp` it is `hyperdrive()`.
 *
 * @throws ConfigError as `createDatabase` of `warmline`, and for `endpoint` and `transport: "http"`
 */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return create(options);
}
