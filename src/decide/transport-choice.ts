import { ConfigError } from "../errors/errors.ts";
import type { TransportName } from "./options.ts";
import { refusal } from "./refuse.ts";
import { BY_SETTING, type DetectedRuntime } from "./runtime.ts";
import type { Settings } from "./settings.ts";
import type { DetectedTarget } from "./target.ts";

/** A transport that an entry of the package owns: where it can be taken, and what it holds. */
export interface TransportChoice {
  readonly name: TransportName;
  readonly fits: (runtime: DetectedRuntime["traits"], target: DetectedTarget) => boolean;
  /** Why it is taken where it fits. */
  readonly reason: string;
  readonly size: (input: PlanInput) => PoolSize;
}

/** What this entry of the package, in this runtime, can offer. */
export interface Available {
  /** The transports it owns, best first. */
  readonly choices: readonly TransportChoice[];
  /** Whether there is a WebSocket constructor. */
  readonly webSocket: boolean;
  /** Whether the main entry has more. Default false. */
  readonly alone?: true;
}

/** What a plan is made from. */
export interface PlanInput {
  readonly runtime: DetectedRuntime;
  readonly target: DetectedTarget;
  readonly settings: Settings;
  readonly available: Available;
}

/** How many connections are held, with the reasons and what to warn of. */
export interface PoolSize {
  readonly max: number;
  readonly min: number;
  readonly idleTimeoutMs: number;
  readonly warnings: readonly string[];
  readonly reasons: { readonly max: string; readonly idleTimeoutMs: string };
}

/** SQL over HTTP, which every runtime can speak. */
export const overHttp: TransportChoice = {
  name: "http",
  fits: (_, { endpoint }) => endpoint !== null,
  reason: "no connection is kept here, and the target speaks HTTP",
  size({ settings: { address } }) {
    if (address.others.length > 0) throw refusal("host", "one over HTTP, where the service finds the server: name its own host");
    const { targetSessionAttrs: wanted } = address;
    const warnings =
      wanted === "any" ? [] : [`targetSessionAttrs ${wanted} is not asked for over HTTP, where the service chooses the server.`];
    const why = "none is held";
    return { max: 0, min: 0, idleTimeoutMs: 0, warnings, reasons: { max: why, idleTimeoutMs: why } };
  },
};

/**
 * The transport to take: the setting's, or the first that fits.
 * @throws {ConfigError} `NO_TRANSPORT`, with the import or the endpoint that would help.
 */
export function chooseTransport({ runtime, target, settings, available }: PlanInput): TransportChoice {
  const { transport } = settings;
  const choice = available.choices.find(({ name, fits }) => (transport ?? name) === name && fits(runtime.traits, target));
  if (choice) return transport === null ? choice : { ...choice, reason: BY_SETTING };

  const remedies: string[] = available.alone ? ['import createDatabase from "warmline"'] : [];
  if (transport !== null) remedies.push("leave transport out");
  if ((transport ?? "request") === "request" && runtime.traits.tcp && !available.alone)
    remedies.push('hand in TCP from "warmline/hyperdrive"');
  if ((transport ?? "http") === "http" && !target.endpoint)
    remedies.push("name what speaks SQL over HTTP in endpoint or WARMLINE_ENDPOINT");
  throw new ConfigError(`There is no way from ${runtime.name} to ${target.name}: ${remedies.join(", or ")}.`, {
    code: "NO_TRANSPORT",
    setting: "transport",
  });
}
