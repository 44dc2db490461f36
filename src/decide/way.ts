import { ConfigError } from "../errors/errors.ts";
import type { TransportName } from "./options.ts";
import type { PlanInput } from "./plan.ts";
import { BY_SETTING, type DetectedRuntime } from "./runtime.ts";
import type { DetectedTarget } from "./target.ts";

/** A way to the server that an entry of the package owns: its transport, where it can be taken, and what it holds. */
export interface Way {
  readonly name: TransportName;
  readonly fits: (runtime: DetectedRuntime["traits"], target: DetectedTarget) => boolean;
  /** Why it is taken where it fits. */
  readonly reason: string;
  readonly size: (input: PlanInput) => PoolSize;
}

/** How many connections are held, with the reasons and what to warn of. */
export interface PoolSize {
  readonly max: number;
  readonly min: number;
  readonly idleTimeoutMs: number;
  readonly warnings: readonly string[];
  readonly reasons: { readonly max: string; readonly idleTimeoutMs: string };
}

/** The size of what is no pool. */
export function unpooled(max: 0 | 1, why: string): PoolSize {
  return { max, min: 0, idleTimeoutMs: 0, warnings: [], reasons: { max: why, idleTimeoutMs: why } };
}

/** SQL over HTTP, which every runtime can speak. */
export const overHttp: Way = {
  name: "http",
  fits: (_, { endpoint }) => endpoint !== null,
  reason: "no connection is kept here, and the target speaks HTTP",
  size: () => unpooled(0, "none is held"),
};

/**
 * The way to take: the setting's, or the first that fits.
 * @throws {ConfigError} `NO_TRANSPORT`, with the import or the endpoint that would help.
 */
export function chooseWay({ runtime, target, settings, available }: PlanInput): Way {
  const { transport } = settings;
  const way = available.ways.find(({ name, fits }) => (transport ?? name) === name && fits(runtime.traits, target));
  if (way) return transport === null ? way : { ...way, reason: BY_SETTING };

  const remedies: string[] = [];
  if (transport !== null) remedies.push("leave transport out");
  if ((transport ?? "request") === "request" && runtime.traits.tcp) remedies.push('hand in TCP from "warmline/hyperdrive"');
  if ((transport ?? "http") === "http" && !target.endpoint)
    remedies.push("name what speaks SQL over HTTP in endpoint or WARMLINE_ENDPOINT");
  throw new ConfigError(`There is no way from ${runtime.name} to ${target.name}: ${remedies.join(", or ")}.`, {
    code: "NO_TRANSPORT",
    setting: "transport",
  });
}
