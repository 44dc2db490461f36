import { invalidSetting } from "./refuse.ts";
import type { DetectedRuntime, RuntimeName } from "./runtime.ts";
import type { Settings } from "./settings.ts";
import type { DetectedTarget, TargetName } from "./target.ts";

/** The runtimes where a connection outlives a call. */
export type PoolRuntime = Exclude<RuntimeName, "workerd" | "edge-light">;

interface PoolDefaults {
  readonly max: number;
  readonly idleTimeoutMs: number;
  readonly why: string;
  readonly whyIdle: string;
}

const longLived: PoolDefaults = {
  max: 10,
  idleTimeoutMs: 30_000,
  why: "enough for a process that lives long",
  whyIdle: "below the lowest idle limit on common ways (a load balancer's 60 s)",
};
const frozen: PoolDefaults = {
  max: 1,
  idleTimeoutMs: 0,
  why: "one call at a time per instance, so a second connection would never be used",
  whyIdle: "time stops between calls, and an idle timer would be due at every thaw",
};
/**
 * How many connections a pool holds in each runtime, and for how long unused.
 * Sources: load balancers close at 60 s of idleness; Vercel suspends an idle instance, so it is quiet after 5 s; its instances interleave
 * requests, and there are many instances.
 */
export const poolDefaults: Readonly<Record<PoolRuntime, PoolDefaults>> = {
  node: longLived,
  bun: longLived,
  deno: longLived,
  "lambda-managed": { ...longLived, why: "the calls that interleave in one worker, 10 at most" },
  vercel: {
    max: 5,
    idleTimeoutMs: 5_000,
    why: "requests share an instance, and there are many instances",
    whyIdle: "an idle instance is suspended, so connections are given up before",
  },
  lambda: frozen,
  netlify: frozen,
};

/**
 * The most connections a target is sure to grant, in its smallest size; null where there are plenty. Half of it is one process's default
 * limit, so that the old and the new process of a deployment fit side by side.
 * Sources: max_connections 100 less 3 reserved (PostgreSQL); 112 less 7 in Neon's smallest compute; max_client_conn 100 (PgBouncer);
 * 15 backends in Supabase's smallest pool. RDS grants about 80 in its smallest class, PlanetScale 25: by their documentation, not measured.
 */
export const budgets: Readonly<Record<TargetName, number | null>> = {
  postgres: 97,
  neon: 105,
  "neon-pooler": null,
  rds: 80,
  "rds-proxy": null,
  pgbouncer: 100,
  "supavisor-transaction": 200,
  "supavisor-session": 15,
  hyperdrive: null,
  planetscale: 25,
};

/** What a pool is sized from. */
export interface PoolSizeInput {
  readonly runtime: DetectedRuntime;
  readonly target: DetectedTarget;
  readonly settings: Settings;
}

/** A pool's size, with the reasons and what to warn of. */
export interface PoolSize {
  readonly max: number;
  readonly min: number;
  readonly idleTimeoutMs: number;
  readonly warnings: readonly string[];
  readonly reasons: { readonly max: string; readonly idleTimeoutMs: string };
}

/** What {@link sizePool} is to the plan. */
export type SizePool = (input: PoolSizeInput) => PoolSize;

/**
 * Sizes the pool by runtime, target and settings.
 * @throws {ConfigError} where `min` is above the `max` that was chosen here.
 */
export function sizePool(input: PoolSizeInput): PoolSize {
  const { runtime, target, settings } = input;
  const usual = poolDefaults[runtime.name as PoolRuntime];
  const wanted = Math.min(runtime.concurrentCalls ?? usual.max, usual.max);
  const budget = budgets[target.name];
  const share = budget === null ? wanted : Math.max(1, Math.min(wanted, Math.floor(budget / 2)));
  const max = settings.max ?? share;
  if (settings.min > max) throw invalidSetting("min", `it must not be above max, which is ${max} on ${runtime.name}; lower min or set max`);
  const over = settings.max !== null && budget !== null && settings.max > budget;
  const asked = "the settings say so";
  return {
    max,
    min: settings.min,
    idleTimeoutMs: settings.idleTimeoutMs ?? usual.idleTimeoutMs,
    warnings: over
      ? [`max is above ${budget}, what ${target.name} grants in its smallest size: make sure that the server allows more.`]
      : [],
    reasons: {
      max:
        settings.max !== null
          ? asked
          : share < wanted
            ? `half of the ${budget} connections ${target.name} grants in its smallest size`
            : usual.why,
      idleTimeoutMs: settings.idleTimeoutMs !== null ? asked : usual.whyIdle,
    },
  };
}
