import type { Address, Place } from "./address.ts";
import { frozen } from "./frozen.ts";
import type { TransportName } from "./options.ts";
import { refusal } from "./refuse.ts";
import { BY_SETTING, type RuntimeName, type RuntimeTraits } from "./runtime.ts";
import type { Capabilities, DetectedTarget, HttpEndpoint, TargetName } from "./target.ts";
import { chooseTls } from "./tls.ts";
import { chooseTransport, type PlanInput } from "./transport-choice.ts";

export type { Available, PlanInput } from "./transport-choice.ts";

/** The choices of a plan that carry a reason. */
type PlanChoice = "runtime" | "target" | "transport" | "session" | "max" | "idleTimeoutMs" | "lifetimeMs" | "deadlineMs" | "deadline";

/** How long a call may take with all its attempts where nobody says otherwise, milliseconds: long enough for a database to wake up. */
export const DEFAULT_DEADLINE_MS = 30_000;

/** What was chosen, and why. Frozen, without secrets: fit for a log. */
export interface Plan {
  readonly runtime: RuntimeName;
  readonly traits: RuntimeTraits;
  readonly target: TargetName;
  /** Where the database is, what is tried after that, in this order, and which of them a connection is kept to. */
  readonly server: Place & Pick<Address, "others" | "targetSessionAttrs" | "database">;
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
  /** How long a call may take that is told no deadline of its own; 0 for none. */
  readonly deadlineMs: number;
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
  const { startupParameters, cancel, pooled } = target.capabilities;
  refuseAtLogin(settings, target);
  const lifetime = chooseLifetime(settings, target);
  const { name: transport, reason, size } = chooseTransport(input);
  const { reasons, warnings, ...held } = size(input);
  const http = transport === "http";
  if (target.capabilities.verifiedTls && !http && chooseTls(settings.address).mode !== "verify") {
    throw refusal("sslMode", `require, or left out: ${target.name} is reached by verified TLS alone`);
  }
  const { host, port, others, targetSessionAttrs, database } = settings.address;
  const limited = settings.statementTimeoutMs !== null;
  const deadline = limited && transport === "pool" && startupParameters ? "server-and-client" : "client";
  const keeper = http ? (startupParameters ? "the endpoint" : "nobody over HTTP") : deadline === "client" ? "this side" : "the server";
  const plan: Omit<Plan, "reasons"> = {
    runtime: runtime.name,
    traits: runtime.traits,
    target: target.name,
    server: { host, port, others, targetSessionAttrs, database },
    capabilities: { ...target.capabilities, pooled: http || pooled },
    transport,
    endpoint: http ? target.endpoint : null,
    session: http ? (available.webSocket ? "websocket" : "none") : transport,
    notices: http ? (available.webSocket ? "sessions" : "none") : "calls",
    ...held,
    lifetimeMs: lifetime.ms,
    release: settings.release,
    deadlineMs: settings.deadlineMs ?? runtime.deadline?.ms ?? DEFAULT_DEADLINE_MS,
    deadline,
    warnings: [...settings.warnings, ...warnings],
  };
  const why: Readonly<Record<PlanChoice, string>> = {
    runtime: runtime.reason,
    target: target.reason,
    transport: reason,
    session:
      plan.session === "none"
        ? `no ${available.alone ? "sessions from this entry" : "WebSocket here"}, so no transactions`
        : "transactions run there",
    ...reasons,
    lifetimeMs: lifetime.reason,
    deadlineMs: settings.deadlineMs === null ? (runtime.deadline?.reason ?? "enough for a database to wake up") : BY_SETTING,
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

/** How old a connection may grow. @throws {ConfigError} where the target ends one before */
function chooseLifetime({ lifetimeMs: given }: PlanInput["settings"], { name, capabilities: { maxAgeMs } }: DetectedTarget) {
  const ms = given ?? maxAgeMs ?? LIFETIME_MS;
  if (maxAgeMs !== null && (ms === 0 || ms > maxAgeMs)) {
    throw refusal("lifetimeMs", `from 1 to ${maxAgeMs}, or left out: ${name} ends a connection that grows older`);
  }
  const usual =
    maxAgeMs === null ? "long against a connect, short against a failover nobody noticed" : `${name} ends a connection that grows older`;
  return { ms, reason: given === null ? usual : BY_SETTING };
}

/** @throws {ConfigError} for what is sent at login, where the target takes nothing there. */
export function refuseAtLogin(
  settings: { readonly startupOptions?: unknown; readonly idleSessionTimeoutMs?: unknown },
  { name, capabilities }: Pick<DetectedTarget, "name" | "capabilities">,
): void {
  const atLogin = (["startupOptions", "idleSessionTimeoutMs"] as const).find((one) => settings[one] != null);
  if (atLogin !== undefined && !capabilities.startupParameters) {
    throw refusal(atLogin, `left out, in the URL too: ${name} takes none at login; use ALTER ROLE … SET or SET LOCAL`);
  }
}

/** Limits of pg's own that are sent at login. */
const limitsOfPg = ["lock_timeout", "idle_in_transaction_session_timeout"] as const;

/**
 * What is sent in pg's manner is bounded by the server alone: pg keeps no such limit by itself, and a query it has given up stays on its connection.
 * @param driver options in pg's words
 * @throws {ConfigError} for a limit of that kind, where the target takes nothing at login.
 */
export function refuseLimitsOfPg(
  { statementTimeoutMs }: { readonly statementTimeoutMs: number | null },
  driver: object,
  { target, capabilities }: Pick<Plan, "target" | "capabilities">,
): void {
  const limit = statementTimeoutMs !== null ? "statementTimeoutMs" : limitsOfPg.find((name) => name in driver);
  if (limit !== undefined && !capabilities.startupParameters) {
    throw refusal(limit, `left out: ${target} takes none at login; use ALTER ROLE … SET or SET LOCAL`);
  }
}
