import { detectRuntime, runtimeNames } from "../decide/detect-runtime.ts";
import { makePlan, type Plan } from "../decide/plan.ts";
import { overPool } from "../decide/pool-size.ts";
import { refusal } from "../decide/refuse.ts";
import type { RuntimeName } from "../decide/runtime.ts";
import { checkOptions, type DatabaseOptions, resolveSettings, type Settings } from "../decide/settings.ts";
import { detectTarget } from "../decide/target.ts";
import { ConfigError } from "../errors/errors.ts";
import { SharedPool } from "../transports/pool/shared-pool.ts";
import { WarmPool as ConfiguredPool } from "../transports/pool/warm-pool.ts";
import { joinPool, poolConfig, showing } from "./make-pool.ts";
import { warn } from "./warn.ts";

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
    const { settings, plan } = planned(checkedOptions(options));
    super({ ...poolConfig(settings, plan, settings.address), warn });
    showing(settings, warn)?.(this);
  }
}

/**
 * A handle on the connections that `createDatabase` uses for the same settings, as a `pg.Pool`: what an ORM is handed. Nothing is read or connected
 * before its first call, so it may stand at module level. Its `end` ends the handle and nothing else: connections end with the last handle that
 * shares them. One that is made for a request and forgotten costs nothing.
 *
 * @throws ConfigError for options that are wrong in themselves; what only the environment can tell rejects the first call
 */
export function sharedPool(options: WarmPoolOptions = {}): SharedPool {
  const checked = checkedOptions(options);
  return new SharedPool(() => {
    const { settings, plan } = planned(checked);
    return joinPool({ settings, plan, address: settings.address, warn });
  });
}

function checkedOptions({ connectionString, ...options }: WarmPoolOptions): DatabaseOptions {
  return checkOptions(connectionString === undefined ? options : { url: connectionString, ...options }, runtimeNames);
}

function planned(checked: DatabaseOptions): { readonly settings: Settings; readonly plan: Plan } {
  const settings = resolveSettings(checked, process.env);
  const runtime = detectRuntime({ global: globalThis, env: process.env }, settings.runtime);
  if (runtime.traits.ioScope === "request") throw elsewhere(runtime.name);
  const target = detectTarget(settings.address, settings.target, settings.endpoint);
  const available = { choices: [overPool], webSocket: false };
  const plan = makePlan({ runtime, target, settings, available });
  // a bare pg.Pool keeps no limit by itself, and a query given up by pg's query_timeout stays on its connection
  if (settings.statementTimeoutMs !== null && plan.deadline === "client") {
    throw refusal("statementTimeoutMs", `left out: ${target.name} takes none at login; use ALTER ROLE … SET or SET LOCAL`);
  }
  return { settings, plan };
}

/** This build was bundled for where it cannot run. */
function elsewhere(name: RuntimeName): ConfigError {
  return new ConfigError(
    `No connection outlives a request on ${name}, and this is the build of warmline/pool for Node. For Workers, bundle with the condition workerd: then sharedPool gives each request connections of its own. Elsewhere on the edge, use createDatabase, which speaks HTTP.`,
    { code: "NO_TRANSPORT", setting: "runtime" },
  );
}
