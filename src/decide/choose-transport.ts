import { ConfigError } from "../errors/errors.ts";
import type { TransportName } from "./options.ts";
import type { PlanInput } from "./plan.ts";
import type { RuntimeTraits } from "./runtime.ts";
import type { Capabilities } from "./target.ts";

interface Way {
  readonly fits: (traits: RuntimeTraits, capabilities: Capabilities) => boolean;
  readonly reason: string;
  /** What to do where it is wanted and cannot be. */
  readonly unfit: string;
  /** What to do where it fits, and the entry does not hold it. */
  readonly absent: string;
}

const ENDPOINT = "name an endpoint that speaks SQL over HTTP in the setting endpoint or in WARMLINE_ENDPOINT";

/** What each transport needs, best first. */
const ways: Readonly<Record<TransportName, Way>> = {
  pool: {
    fits: ({ tcp, ioScope }) => tcp && ioScope === "process",
    reason: "connections outlive a call here",
    unfit: "no connection can be kept here; leave transport out",
    absent: 'import "warmline" under the export condition node',
  },
  http: {
    fits: (_, { httpSql }) => httpSql,
    reason: "no connection can be kept here, and the target speaks HTTP",
    unfit: ENDPOINT,
    absent: 'import "warmline"',
  },
  request: {
    fits: ({ tcp }) => tcp,
    reason: "a socket ends with its request here",
    unfit: "no socket can be opened here; leave transport out",
    absent: 'hand in TCP from "warmline/hyperdrive"',
  },
};

/**
 * Chooses the transport: the setting's, or the best that fits and is there.
 * @throws {ConfigError} `NO_TRANSPORT`, with the import or the endpoint that would help.
 */
export function chooseTransport(input: PlanInput): { readonly name: TransportName; readonly reason: string } {
  const { runtime, target, settings, available } = input;
  const { traits } = runtime;
  const refuse = (remedy: string): ConfigError =>
    new ConfigError(`There is no way from ${runtime.name} to ${target.name}: ${remedy}.`, { code: "NO_TRANSPORT", setting: "transport" });

  const isHere = (name: TransportName): boolean => available.transports.includes(name) && (name !== "pool" || available.sizePool !== null);
  const wanted = settings.transport;
  if (wanted !== null) {
    const { fits, unfit, absent } = ways[wanted];
    if (!fits(traits, target.capabilities)) throw refuse(unfit);
    if (!isHere(wanted)) throw refuse(absent);
    return { name: wanted, reason: "the settings say so" };
  }
  const order: readonly TransportName[] = target.name === "hyperdrive" ? ["pool", "request", "http"] : ["pool", "http", "request"];
  const fitting = order.filter((name) => ways[name].fits(traits, target.capabilities));
  const name = fitting.find(isHere);
  if (name === undefined) throw refuse([...fitting.map((candidate) => ways[candidate].absent), ENDPOINT].join(", or "));
  return { name, reason: ways[name].reason };
}
