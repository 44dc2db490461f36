import { detectRuntime, runtimeNames } from "../decide/detect-runtime.ts";
import { type PoolOptions, readPoolOptions } from "../decide/pg-options.ts";
import { makePlan, type Plan, refuseLimitsOfPg } from "../decide/plan.ts";
import { overPool } from "../decide/pool-size.ts";
import type { RuntimeName } from "../decide/runtime.ts";
import { checkOptions, type DatabaseOptions, resolveSettings, type Settings } from "../decide/settings.ts";
import { detectTarget } from "../decide/target.ts";
import { ConfigError } from "../errors/errors.ts";
import { namedAsPgs } from "../transports/pool/leased-pool.ts";
import { boundHooks } from "../transports/pool/pool-hooks.ts";
import { SharedPool } from "../transports/pool/shared-pool.ts";
import { typesOf } from "../transports/pool/type-parsers.ts";
import { WarmPool as ConfiguredPool } from "../transports/pool/warm-pool.ts";
import { refuseContradictions } from "./contradictions.ts";
import { joinPool, poolConfig, showing } from "./make-pool.ts";
import type { WarmPoolOptions } from "./pool-options.ts";
import { variablesFor } from "./pool-variables.ts";
import { processVariables, settingsVariables } from "./process-variables.ts";
import { warn } from "./warn.ts";

export type { SharedPool } from "../transports/pool/shared-pool.ts";
export type { WarmPoolOptions } from "./pool-options.ts";

/**
 * A `pg.Pool` for code that wants one: an ORM, or code written for pg. It takes a URL, options in pg's spelling with pg's meaning, and the settings
 * of `createDatabase`; what is left out comes from the same place as theirs. It rejects with what pg rejects with, and a fate. What differs from
 * pg on purpose is listed in docs/pool.md. It is no shared pool, and whoever made it ends it.
 *
 * @throws ConfigError for settings that are wrong, missing or given twice, and for what cannot be kept: another `Client`, `native`
 */
export class WarmPool extends ConfiguredPool {
  static {
    namedAsPgs(WarmPool);
  }

  constructor(options: WarmPoolOptions | string = {}) {
    const given = read(options);
    const { settings, plan } = planned(given);
    const { types = typesOf(settings.types), ...driver } = given.driver;
    const words = { ...given, driver: { ...driver, ...(types !== undefined && { types }) } };
    super({ ...poolConfig(settings, plan, words), ...boundHooks(driver), warn });
    showing(settings, warn)?.(this);
  }
}

/**
 * A handle on the connections that `createDatabase` uses for the same settings, as a `pg.Pool`: what an ORM is handed. It takes what {@link WarmPool}
 * takes; what only pg knows has connections of its own. Nothing is read or connected before its first call, so it may stand at module level. Its
 * `end` ends the handle and nothing else: connections end with the last handle that shares them. One that is made for a request and forgotten
 * costs nothing.
 *
 * @throws ConfigError for options that are wrong in themselves; what only the environment can tell rejects the first call
 */
export function sharedPool(options: WarmPoolOptions | string = {}): SharedPool {
  const given = read(options);
  const { Promise: own, ...driver } = given.driver;
  const join = () => {
    const { settings, plan } = planned(given);
    return joinPool({ settings, plan, address: settings.address, warn, words: { ...given, driver, hooks: boundHooks(driver) } });
  };
  return new SharedPool(join, { own: own as PromiseConstructor | undefined });
}

/** What was given, checked as far as it can be without the environment. */
interface Given extends Omit<PoolOptions, "settings"> {
  readonly checked: DatabaseOptions;
}

function read(options: unknown): Given {
  const { settings, ...rest } = readPoolOptions(options, (path) => process.getBuiltinModule("node:fs").readFileSync(path, "utf8"));
  const checked = checkOptions(settings, runtimeNames);
  refuseContradictions(checked);
  return { ...rest, checked };
}

function planned({ checked, driver, lacksUrl }: Given): { readonly settings: Settings; readonly plan: Plan } {
  const env = variablesFor({ checked, driver, lacksUrl }, settingsVariables(checked));
  const settings = resolveSettings(checked, env);
  const runtime = detectRuntime({ global: globalThis, env: processVariables() }, settings.runtime);
  if (runtime.traits.ioScope === "request") throw elsewhere(runtime.name);
  const target = detectTarget(settings.address, settings.target, settings.endpoint);
  const available = { choices: [overPool], webSocket: false };
  const plan = makePlan({ runtime, target, settings, available });
  refuseLimitsOfPg(settings, driver, plan);
  return { settings, plan };
}

/** This build was bundled for where it cannot run. */
function elsewhere(name: RuntimeName): ConfigError {
  return new ConfigError(
    `No connection outlives a request on ${name}, and this is the build of warmline/pool for Node. For Workers, bundle with the condition workerd: then sharedPool gives each request connections of its own. Elsewhere on the edge, use createDatabase, which speaks HTTP.`,
    { code: "NO_TRANSPORT", setting: "runtime" },
  );
}
