import { detectRuntime, runtimeNames } from "../decide/detect-runtime.ts";
import { makePlan, type Plan } from "../decide/plan.ts";
import { overPool } from "../decide/pool-size.ts";
import { refusal } from "../decide/refuse.ts";
import { checkOptions, type DatabaseOptions, resolveSettings, type Settings } from "../decide/settings.ts";
import { detectTarget } from "../decide/target.ts";
import { WarmPool as ConfiguredPool } from "../transports/pool/warm-pool.ts";
import { joinPool, poolConfig } from "./make-pool.ts";

/** What the pool takes: the settings of `createDatabase`, and `connectionString` as pg's name for `url`. */
export interface WarmPoolOptions extends DatabaseOptions {
  readonly connectionString?: string | undefined;
}

/**
 * A `pg.Pool` for code that wants one: an ORM, or code written for pg. Settings, TLS, timeouts and size come from the same place as
 * `createDatabase`'s; it is no shared pool, and whoever made it ends it.
 *
 * @throws ConfigError for settings that are wrong or missing
 */
export class WarmPool extends ConfiguredPool {
  constructor(options: WarmPoolOptions = {}) {
    const { settings, plan } = planned(options);
    super({ ...poolConfig(settings, plan, settings.address), warn });
    settings.onPool?.(this);
  }
}

/**
 * The one pool of these settings in this process, which is also that of `createDatabase` with the same settings: what an ORM is handed where
 * modules are evaluated more than once, as in Next.js. To be asked for when it is used, not when a module is loaded, so that a build passes
 * without a database. It is nobody's to end: it lives until the settings change or the process ends. Where settings differ it is the pool of
 * the newest, as it is now; a pool that was replaced takes no new work.
 *
 * @throws ConfigError for settings that are wrong or missing
 */
export function sharedPool(options: WarmPoolOptions = {}): ConfiguredPool {
  const { settings, plan } = planned(options);
  return joinPool({ settings, plan, address: settings.address, warn }).entry.current.pool;
}

const warn = (message: string) => console.warn(`warmline: ${message}`);

function planned({ connectionString, ...options }: WarmPoolOptions): { readonly settings: Settings; readonly plan: Plan } {
  const checked = checkOptions(connectionString === undefined ? options : { url: connectionString, ...options }, runtimeNames);
  const settings = resolveSettings(checked, process.env);
  const runtime = detectRuntime({ global: globalThis, env: process.env }, settings.runtime);
  const target = detectTarget(settings.address, settings.target, settings.endpoint);
  const available = { choices: [overPool], webSocket: false };
  const plan = makePlan({ runtime, target, settings, available });
  // a bare pg.Pool keeps no limit by itself, and a query given up by pg's query_timeout stays on its connection
  if (settings.statementTimeoutMs !== null && plan.deadline === "client") {
    throw refusal("statementTimeoutMs", `left out: ${target.name} takes none at login; use ALTER ROLE … SET or SET LOCAL`);
  }
  return { settings, plan };
}
