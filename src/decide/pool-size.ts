import { usesIam } from "./auth.ts";
import { refusal } from "./refuse.ts";
import { BY_SETTING, type RuntimeName } from "./runtime.ts";
import { everyServer } from "./servers.ts";
import type { TargetName } from "./target.ts";
import { tlsWarningsOutsideWorkers } from "./tls.ts";
import type { PlanInput, PoolSize, TransportChoice } from "./transport-choice.ts";

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
const scaledOut: PoolDefaults = { ...longLived, max: 5, why: "requests share an instance, and there are many instances" };
/**
 * How many connections a pool holds in each runtime, and for how long unused.
 * Sources: load balancers close at 60 s of idleness; Vercel suspends an idle instance, so it is quiet after 5 s; its instances interleave
 * requests, and there are many instances, as there are of Azure Functions, Cloud Run and Deno Deploy.
 */
export const poolDefaults: Readonly<Record<PoolRuntime, PoolDefaults>> = {
  node: longLived,
  bun: longLived,
  deno: longLived,
  "lambda-managed": { ...longLived, why: "the calls that interleave in one worker, 10 at most" },
  vercel: { ...scaledOut, idleTimeoutMs: 5_000, whyIdle: "an idle instance is suspended, so connections are given up before" },
  lambda: frozen,
  netlify: frozen,
  "azure-functions": scaledOut,
  "cloud-run": {
    ...scaledOut,
    idleTimeoutMs: 0,
    whyIdle: "there is no CPU between requests, and an idle timer would be due when the next one comes",
  },
  "deno-deploy": scaledOut,
};

/**
 * The most connections a target is sure to grant, in its smallest size; null where there are plenty. Half of it is one process's default
 * limit, so that the old and the new process of a deployment fit side by side.
 * Sources: max_connections 100 less 3 reserved (PostgreSQL); 112 less 7 in Neon's smallest compute; max_client_conn 100 (PgBouncer);
 * 15 backends in Supabase's smallest pool. Not measured, and cautious: 80 for RDS, whose documentation computes 112 for 1 GiB
 * (DBInstanceClassMemory / 9531392) and leaves a part of that memory to the system; 25 for PlanetScale's smallest cluster, an assumption.
 */
export const budgets: Readonly<Record<TargetName, number | null>> = {
  postgres: 97,
  neon: 105,
  "neon-pooler": null,
  rds: 80,
  "rds-proxy": null,
  // 10,000 in a cluster
  dsql: null,
  pgbouncer: 100,
  "supavisor-transaction": 200,
  "supavisor-session": 15,
  hyperdrive: null,
  planetscale: 25,
};

/** A pool, wherever connections outlive a call. */
export const overPool: TransportChoice = {
  name: "pool",
  fits: ({ tcp, ioScope }) => tcp && ioScope === "process",
  reason: "connections outlive a call here",
  size: sizePool,
};

/**
 * Sizes the pool by runtime, target and settings, and says what to warn of on its way.
 * @throws {ConfigError} where `min` is above the `max` that was chosen here, or the settings of TLS contradict each other.
 */
function sizePool({ runtime, target, settings }: PlanInput): PoolSize {
  // a password of a variable contradicts it, too
  usesIam(settings.address, target);
  const usual = poolDefaults[runtime.name as PoolRuntime];
  const wanted = Math.min(runtime.concurrentCalls ?? usual.max, usual.max);
  const budget = budgets[target.name];
  const share = budget === null ? wanted : Math.max(1, Math.min(wanted, Math.floor(budget / 2)));
  const max = settings.max ?? share;
  if (settings.min > max) throw refusal("min", `at most max, which is ${max} on ${runtime.name}; lower min or set max`);
  const warnings = everyServer(settings).flatMap(tlsWarningsOutsideWorkers);
  if (budget !== null && max > budget) {
    warnings.push(`max is above ${budget}, what ${target.name} grants in its smallest size: make sure that the server allows more.`);
  }
  return {
    max,
    min: settings.min,
    idleTimeoutMs: settings.idleTimeoutMs ?? usual.idleTimeoutMs,
    warnings: [...new Set(warnings)],
    reasons: {
      max:
        settings.max !== null
          ? BY_SETTING
          : share < wanted
            ? `half of the ${budget} connections ${target.name} grants in its smallest size`
            : usual.why,
      idleTimeoutMs: settings.idleTimeoutMs !== null ? BY_SETTING : usual.whyIdle,
    },
  };
}
