import { AsyncLocalStorage } from "node:async_hooks";
import type { OpenCallback } from "../database/database.ts";
import { detectRuntime, runtimeNames } from "../decide/detect-runtime.ts";
import type { RuntimeName } from "../decide/runtime.ts";
import { refuseContradictions } from "./contradictions.ts";
import type { Platform } from "./create.ts";
import { runUntilEnd } from "./run-until-end.ts";
import { warn } from "./warn.ts";

const callbacks = new AsyncLocalStorage<OpenCallback>();

const detect = (explicit: RuntimeName | null = null) => detectRuntime({ global: globalThis, env: process.env }, explicit);

/** Node, Bun and Deno, and what runs on them, without a way to the server. */
export const nodePlatform: Omit<Platform, "available" | "transports" | "parsers"> = {
  runtimes: runtimeNames,
  runtime: detect,
  env: () => process.env,
  callbacks,
  scope: (context, work) => runUntilEnd(callbacks, context, work),
  // during init the CPU is not throttled; under provisioned concurrency and SnapStart the first call may be hours away
  warmsUp: () => detect().name === "lambda" && process.env.AWS_LAMBDA_INITIALIZATION_TYPE === "on-demand",
  check: refuseContradictions,
  warn,
};
