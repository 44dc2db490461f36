import type { DatabaseOptions } from "../decide/options.ts";
import { refuseLimitsOfPg } from "../decide/plan.ts";
import { makeAudience } from "../observe/audience.ts";
import { type DelegateShare, SharedPool } from "../transports/pool/shared-pool.ts";
import type { RequestTransport } from "../transports/request/request.ts";
import { RequestPool } from "../transports/request/request-pool.ts";
import { type Platform, planOn } from "./create.ts";
import type { RequestPoolGiven } from "./request-pool-options.ts";

/** A handle on the connections of whichever request asks. Nothing is read before its first call. `driver` is what pg's clients are told besides. */
export function requestPool(platform: Platform, options: DatabaseOptions, { driver, own }: Omit<RequestPoolGiven, "settings">): SharedPool {
  return new SharedPool(() => join(platform, options, driver), { own, scope: platform.scope });
}

function join(platform: Platform, options: DatabaseOptions, driver: RequestPoolGiven["driver"]): DelegateShare {
  const { settings, plan } = planOn(platform, options);
  refuseLimitsOfPg(settings, driver, plan);
  const { address, prepare, pipelining } = settings;
  const { capabilities, max, warnings } = plan;
  const { clock, warn } = platform;
  warnings.forEach(warn);
  const input = { settings, plan, address, clock, warn, events: makeAudience(warn), driver };
  const transport = platform.transports.request?.(input) as RequestTransport;
  const pool = new RequestPool(transport, {
    named: prepare && capabilities.namedStatements,
    pipelined: pipelining && capabilities.pipelining,
    max,
  });
  return { pool, release: async () => transport[Symbol.asyncDispose](), apart: true };
}
