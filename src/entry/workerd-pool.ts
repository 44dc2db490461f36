import { env } from "cloudflare:workers";
import { handedIn } from "../decide/refuse.ts";
import { workerd } from "../decide/runtime.ts";
import { checkOptions } from "../decide/settings.ts";
import { ConfigError } from "../errors/errors.ts";
import type { SharedPool } from "../transports/pool/shared-pool.ts";
import { steadyClock } from "../transports/steady-clock.ts";
import type { Platform } from "./create.ts";
import { hyperdriveSockets } from "./hyperdrive-sockets.ts";
import { requestPool } from "./make-request-pool.ts";
import type { WarmPoolOptions } from "./pool-options.ts";
import { readRequestPoolOptions } from "./request-pool-options.ts";
import { warn } from "./warn.ts";

export type { SharedPool } from "../transports/pool/shared-pool.ts";
export type { WarmPoolOptions } from "./pool-options.ts";

const own: Platform = {
  runtimes: [workerd.name],
  runtime: () => workerd,
  env: () => env,
  available: () => ({ choices: [], webSocket: false }),
  transports: {},
  // queries in pg's manner are read by pg's own
  parsers: { builtins: {}, getTypeParser: () => String },
  callbacks: undefined,
  heldWork: undefined,
  clock: steadyClock,
  random: Math.random,
  warn,
};

/**
 * As in Node, but in Workers a pool of one's own would serve its first request, and hang in the next.
 *
 * @throws ConfigError always
 */
export class WarmPool {
  constructor(_options?: WarmPoolOptions | string) {
    throw new ConfigError(
      "In Workers a connection ends with its request, so no pool can own any. Use sharedPool({ tcp: hyperdrive() }), which gives each request connections of its own, and may stand at module scope; or createDatabase, where no ORM needs a pool.",
      { code: "NO_TRANSPORT", setting: "runtime" },
    );
  }
}

/**
 * As in Node: a `pg.Pool` for an ORM, which may stand at module scope and reads bindings at its first call. Here it gives each request connections
 * of its own, which end with it: `pool.scope(ctx, work)`, or `requestScope(pool)` of `warmline/hono`, says what a request is. Without `tcp` it is
 * `hyperdrive()`.
 *
 * @throws ConfigError for options that are wrong in themselves; what only the environment can tell rejects the first call
 */
export function sharedPool(options: WarmPoolOptions | string = {}): SharedPool {
  const { settings, ...given } = readRequestPoolOptions(options);
  const { tcp = hyperdriveSockets({}, undefined), env: handed, ...checked } = checkOptions(settings, own.runtimes);
  const platform = handedIn("tcp", () => tcp(handed ? { ...own, env: () => handed } : own, checked));
  return requestPool(platform, checked, given);
}
