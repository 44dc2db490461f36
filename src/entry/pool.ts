import { makePlan } from "../decide/plan.ts";
import { sizePool } from "../decide/pool-size.ts";
import { detectRuntime } from "../decide/runtime.ts";
import { checkOptions, type DatabaseOptions, resolveSettings } from "../decide/settings.ts";
import { detectTarget } from "../decide/target.ts";
import { WarmPool as ConfiguredPool } from "../transports/pool/warm-pool.ts";
import { poolConfig } from "./pool-parts.ts";

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
  constructor({ connectionString, ...options }: WarmPoolOptions = {}) {
    const checked = checkOptions(connectionString === undefined ? options : { url: connectionString, ...options });
    const settings = resolveSettings(checked, process.env);
    const runtime = detectRuntime({ global: globalThis, env: process.env }, settings.runtime);
    const target = detectTarget(settings.address, settings.target, settings.endpoint);
    const available = { transports: ["pool"], webSocket: false, sizePool } as const;
    super(poolConfig(settings, makePlan({ runtime, target, settings, available }), settings.address));
  }
}
