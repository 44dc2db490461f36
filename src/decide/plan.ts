import { chooseTransport } from "./choose-transport.ts";
import type { TransportName } from "./options.ts";
import type { PoolSize, SizePool } from "./pool-size.ts";
import { invalidSetting } from "./refuse.ts";
import type { DetectedRuntime, RuntimeName, RuntimeTraits } from "./runtime.ts";
import type { Settings } from "./settings.ts";
import type { Capabilities, DetectedTarget, HttpEndpoint, TargetName } from "./target.ts";

/** The choices of a plan that carry a reason. */
export type PlanChoice = "runtime" | "target" | "transport" | "session" | "max" | "idleTimeoutMs" | "deadline";

/** What was chosen, and why. Frozen, without secrets: fit for a log. */
export interface Plan {
  readonly runtime: RuntimeName;
  readonly traits: RuntimeTraits;
  readonly target: TargetName;
  /** The target's; over `http` `pooled` is true whatever the target, since the endpoint keeps its connections. */
  readonly capabilities: Capabilities;
  readonly transport: TransportName;
  /** Where SQL over HTTP is spoken; null unless the transport is `http`. */
  readonly endpoint: HttpEndpoint | null;
  /** What a transaction or session runs on; `none`: not to be had here. */
  readonly session: "pool" | "websocket" | "request" | "none";
  /** Most connections held; over `http`, 0. */
  readonly max: number;
  readonly min: number;
  /** 0 for no idle timer. */
  readonly idleTimeoutMs: number;
  /** 0 for no limit. */
  readonly lifetimeMs: number;
  /** Who ends a statement that takes too long. */
  readonly deadline: "client" | "server-and-client";
  readonly warnings: readonly string[];
  /** A sentence for each choice. */
  readonly reasons: Readonly<Record<PlanChoice, string>>;
}

/** What this entry of the package, in this runtime, can offer. */
export interface Available {
  readonly transports: readonly TransportName[];
  /** Whether there is a WebSocket constructor. */
  readonly webSocket: boolean;
  /** `sizePool`, from the entry that owns the pool, so that others need not carry its tables; null elsewhere. */
  readonly sizePool: SizePool | null;
}

/** What a plan is made from. */
export interface PlanInput {
  readonly runtime: DetectedRuntime;
  readonly target: DetectedTarget;
  readonly settings: Settings;
  readonly available: Available;
}

const unpooled: Readonly<Record<"http" | "request", PoolSize>> = {
  http: { max: 0, min: 0, idleTimeoutMs: 0, warnings: [], reasons: { max: "none is held", idleTimeoutMs: "none is held" } },
  request: {
    max: 1,
    min: 0,
    idleTimeoutMs: 0,
    warnings: [],
    reasons: { max: "one per request", idleTimeoutMs: "it ends with its request" },
  },
};

const sessionReasons: Readonly<Record<Plan["session"], string>> = {
  pool: "a transaction holds a connection of the pool",
  websocket: "a transaction opens a connection of its own",
  request: "a transaction uses the request's connection",
  none: "no WebSocket here; only queries and batches",
};

/**
 * Decides how to work here, with a reason for every choice.
 * @throws {ConfigError} `NO_TRANSPORT`, naming the import or the endpoint to add, where nothing fits; `INVALID_SETTING` where a setting does
 * not fit the runtime or the target.
 */
export function makePlan(input: PlanInput): Plan {
  const { runtime, target, settings, available } = input;
  const { capabilities } = target;
  if (!capabilities.startupParameters) refuseStartupParameters(settings, target.name);
  const { name: transport, reason } = chooseTransport(input);
  const http = transport === "http";
  const session = !http ? transport : available.webSocket ? "websocket" : "none";
  const size = transport === "pool" && available.sizePool ? available.sizePool(input) : unpooled[http ? "http" : "request"];
  const deadline = settings.statementTimeoutMs === null ? "client" : "server-and-client";
  return Object.freeze({
    runtime: runtime.name,
    traits: runtime.traits,
    target: target.name,
    capabilities: http ? Object.freeze({ ...capabilities, pooled: true }) : capabilities,
    transport,
    endpoint: http ? target.endpoint : null,
    session,
    max: size.max,
    min: size.min,
    idleTimeoutMs: size.idleTimeoutMs,
    lifetimeMs: settings.lifetimeMs,
    deadline,
    warnings: Object.freeze([...settings.warnings, ...size.warnings]),
    reasons: Object.freeze({
      runtime: `${runtime.name}: ${runtime.reason}`,
      target: `${target.name}: ${target.reason}`,
      transport: `${transport}: ${reason}`,
      session: `${session}: ${sessionReasons[session]}`,
      max: `${size.max}: ${size.reasons.max}`,
      idleTimeoutMs: `${size.idleTimeoutMs}: ${size.reasons.idleTimeoutMs}`,
      deadline: `${deadline}: ${
        http || capabilities.cancel
          ? "what is given up is cancelled at the server"
          : "no CancelRequest here; only the role's statement_timeout ends what is given up"
      }`,
    }),
  });
}

function refuseStartupParameters(settings: Settings, target: TargetName): void {
  for (const name of ["startupOptions", "statementTimeoutMs"] as const) {
    if (settings[name] !== null)
      throw invalidSetting(name, `${target} refuses it at login; leave it out, and use ALTER ROLE … SET or SET LOCAL`);
  }
}
