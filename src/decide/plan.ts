import { frozen } from "./frozen.ts";
import type { TransportName } from "./options.ts";
import { refusal } from "./refuse.ts";
import { BY_SETTING, type RuntimeName, type RuntimeTraits } from "./runtime.ts";
import type { Capabilities, HttpEndpoint, TargetName } from "./target.ts";
import { chooseTls } from "./tls.ts";
import { chooseTransport, type PlanInput } from "./transport-choice.ts";

export type { Available, PlanInput } from "./transport-choice.ts";

/** The choices of a plan that carry a reason. */
export type PlanChoice = "runtime" | "target" | "transport" | "session" | "max" | "idleTimeoutMs" | "lifetimeMs" | "deadline";

/** What was chosen, and why. Frozen, without secrets: fit for a log. */
export interface Plan {
  readonly runtime: RuntimeName;
  readonly traits: RuntimeTraits;
  readonly target: TargetName;
  /** Where the database is. */
  readonly server: { readonly host: string; readonly port: number; readonly database: string };
  /** The target's; over `http` `pooled` is true whatever the target, since the endpoint keeps its connections. */
  readonly capabilities: Capabilities;
  readonly transport: TransportName;
  /** Where SQL over HTTP is spoken; null unless the transport is `http`. */
  readonly endpoint: HttpEndpoint | null;
  /** What a transaction or session runs on; `none`: not to be had here. */
  readonly session: "pool" | "websocket" | "request" | "none";
  /** Of what `notice` events are told: of every call, or of what is sent in transactions and sessions, since no answer over HTTP holds any. */
  readonly notices: "calls" | "sessions" | "none";
  /** Most connections held; over `http`, 0. */
  readonly max: number;
  readonly min: number;
  /** 0 for no idle timer. */
  readonly idleTimeoutMs: number;
  /** 0 for no limit. */
  readonly lifetimeMs: number;
  /** Whether `warmline/lambda` keeps the connection after an invocation, or ends it. */
  readonly release: "keep" | "after-invocation";
  /** Who ends a statement after `statementTimeoutMs`: the server can where it takes the limit at login, over a pool. */
  readonly deadline: "client" | "server-and-client";
  readonly warnings: readonly string[];
  /** A sentence for each choice. */
  readonly reasons: Readonly<Record<PlanChoice, string>>;
}

/** Half an hour. */
const LIFETIME_MS = 1_800_000;

/**
 * Decides how to work here, with a reason for every choice.
 * @throws {ConfigError} `NO_TRANSPORT`, naming the import or the endpoint to add, where nothing fits; `INVALID_SETTING` where a setting does
 * not fit the runtime or the target.
 */
export function makePlan(input: PlanInput): Plan {
  const { runtime, target, settings, available } = input;
  const { startupParameters, cancel, pooled, verifiedTls, maxAgeMs } = target.capabilities;
  const atLogin = (["startupOptions", "idleSessionTimeoutMs"] as const).find((name) => settings[name] !== null);
  if (atLogin !== undefined && !startupParameters) {
    throw refusal(atLogin, `left out, in the URL too: ${target.name} takes none at login; use ALTER ROLE … SET or SET LOCAL`);
  }
  const lifetimeMs = settings.lifetimeMs ?? maxAgeMs ?? LIFETIME_MS;
  if (maxAgeMs !== null && (lifetimeMs === 0 || lifetimeMs > maxAgeMs)) {
    throw refusal("lifetimeMs", `from 1 to ${maxAgeMs}, or left out: ${target.name} ends a connection that grows older`);
  }
  const { name: transport, reason, size } = chooseTransport(input);
  const { reasons, warnings, ...held } = size(input);
  const http = transport === "http";
  if (verifiedTls && !http && chooseTls(settings.address).mode !== "verify") {
    throw refusal("sslMode", `require, or left out: ${target.name} is reached by verified TLS alone`);
  }
  const { host, port, database } = settings.address;
  const limited = settings.statementTimeoutMs !== null;
  const deadline = limited && transport === "pool" && startupParameters ? "server-and-client" : "client";
  const keeper = http ? (startupParameters ? "the endpoint" : "nobody over HTTP") : deadline === "client" ? "this side" : "the server";
  const plan: Omit<Plan, "reasons"> = {
    runtime: runtime.name,
    traits: runtime.traits,
    target: target.name,
    server: { host, port, database },
    capabilities: { ...target.capabilities, pooled: http || pooled },
    transport,
    endpoint: http ? target.endpoint : null,
    session: http ? (available.webSocket ? "websocket" : "none") : transport,
    notices: http ? (available.webSocket ? "sessions" : "none") : "calls",
    ...held,
    lifetimeMs,
    release: settings.release,
    deadline,
    warnings: [...settings.warnings, ...warnings],
  };
  const why: Readonly<Record<PlanChoice, string>> = {
    runtime: runtime.reason,
    target: target.reason,
    transport: reason,
    session: plan.session === "none" ? "no WebSocket here, so no transactions" : "transactions run there",
    ...reasons,
    lifetimeMs:
      settings.lifetimeMs !== null
        ? BY_SETTING
        : maxAgeMs !== null
          ? `${target.name} ends a connection that grows older, in use or not`
          : "long against a connect, short against a failover nobody noticed",
    deadline: `${limited ? `${keeper} keeps statementTimeoutMs; ` : ""}${
      http || cancel ? "what is given up is cancelled at the server" : "only the role's statement_timeout ends what is given up"
    }`,
  };
  return frozen({
    ...plan,
    reasons: Object.fromEntries(
      Object.entries(why).map(([choice, reason]) => [choice, `${plan[choice as PlanChoice]}: ${reason}`]),
    ) as Plan["reasons"],
  });
}
