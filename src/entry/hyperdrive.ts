import { heldWork } from "../database/held-work.ts";
import type { RequestSockets } from "../decide/options.ts";
import { type HyperdriveOptions, hyperdriveSockets } from "./hyperdrive-sockets.ts";

export type { RequestSockets } from "../decide/options.ts";
export type { HyperdriveOptions } from "./hyperdrive-sockets.ts";

/**
 * TCP for Workers, to hand in as `createDatabase({ tcp: hyperdrive() })`: to a Hyperdrive binding, found by itself and read at the first
 * call, or with a URL to any Postgres. Needs pg, and `nodejs_compat`. On other runtimes it changes nothing.
 *
 * @example const db = createDatabase({ tcp: hyperdrive() });
 */
export function hyperdrive(options: HyperdriveOptions = {}): RequestSockets {
  return hyperdriveSockets(options, () => heldWork);
}
