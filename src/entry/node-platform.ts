import { AsyncLocalStorage } from "node:async_hooks";
import type { OpenCallback } from "../database/database.ts";
import { lackingOf } from "../database/lacking.ts";
import { detectRuntime, runtimeNames } from "../decide/detect-runtime.ts";
import type { RuntimeName } from "../decide/runtime.ts";
import { callTracing } from "../observe/trace-calls.ts";
import { processClock, processRandom } from "../transports/pool/process-clock.ts";
import { refuseContradictions } from "./contradictions.ts";
import type { Platform } from "./create.ts";
import { processVariables, settingsVariables } from "./process-variables.ts";
import { runUntilEnd } from "./run-until-end.ts";
import { warn } from "./warn.ts";

const callbacks = new AsyncLocalStorage<OpenCallback>();

const detect = (explicit: RuntimeName | null = null) => detectRuntime({ global: globalThis, env: processVariables() }, explicit);

/** Node, Bun and Deno, and what runs on them, without a way to the server. */
export const nodePlatform: Omit<Platform, "available" | "transports" | "parsers"> = {
  runtimes: runtimeNames,
  runtime: detect,
  env: settingsVariables,
  callbacks,
  tracing: callTracing,
  lackingOf,
  scope: (context, work) => runUntilEnd(callbacks, context, work),
  // during init the CPU is not throttled; under provisioned concurrency and SnapStart the first call may be hours away
  warmsUp: () => detect().name === "lambda" && process.env.AWS_LAMBDA_INITIALIZATION_TYPE === "on-demand",
  check: refuseContradictions,
  heldWork: undefined,
  clock: processClock,
  random: processRandom,
  warn,
};
