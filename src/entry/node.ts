import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";
import type { Database, OpenCallback } from "../database/database.ts";
import { detectRuntime, runtimeNames } from "../decide/detect-runtime.ts";
import { overPool } from "../decide/pool-size.ts";
import type { RuntimeName } from "../decide/runtime.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { overHttp } from "../decide/transport-choice.ts";
import { processClock, processRandom } from "../transports/pool/process-clock.ts";
import { databaseOn, type Platform } from "./create.ts";
import { poolMaker } from "./make-pool.ts";
import { needVariablesOfNeon, processVariables, settingsVariables } from "./process-variables.ts";
import { warn } from "./warn.ts";

export * from "./public.ts";

const detect = (explicit: RuntimeName | null = null) => detectRuntime({ global: globalThis, env: processVariables() }, explicit);

const platform: Platform = {
  runtimes: runtimeNames,
  runtime: detect,
  env: settingsVariables,
  // Node loads the whole of undici, some 20 ms, where the name is so much as read
  available: () => ({ choices: [overPool, overHttp], webSocket: "WebSocket" in globalThis }),
  // loaded when it is chosen: a function that only uses the pool does not pay for the other driver
  transports: {
    async http(input) {
      needVariablesOfNeon();
      return (await import("./make-node-http.ts")).makeNodeHttp(input);
    },
  },
  parsers: pg.types,
  callbacks: new AsyncLocalStorage<OpenCallback>(),
  // during init the CPU is not throttled; under provisioned concurrency and SnapStart the first call may be hours away
  warmsUp: () => detect().name === "lambda" && process.env.AWS_LAMBDA_INITIALIZATION_TYPE === "on-demand",
  clock: processClock,
  random: processRandom,
  warn,
};

/**
 * A handle on one database: runtime, target and transport are found by themselves, and every choice can be overridden. A string is the
 * setting `url`. Nothing is connected before the first call.
 *
 * @throws ConfigError for options that are wrong in themselves; what only the environment can tell is thrown by the first call, and by
 * `plan`
 */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return databaseOn({ ...platform, transports: { ...platform.transports, pool: poolMaker() } })(options);
}
