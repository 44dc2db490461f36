import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { type Environment, openEnvironment } from "./environment.ts";
import type { InitializationType } from "./function-variables.ts";
import type { FunctionError } from "./reply.ts";
import { startWatchdog } from "./watchdog.ts";

export type { Environment, Pause } from "./environment.ts";

/** The function a sandbox runs. */
export interface SandboxOptions {
  /** Absolute path of the built module without its ending, and the export: `/…/index.handler`. */
  readonly handler: string;
  /** Environment variables of the function. Of the tests' own it gets PATH alone. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** Longest an invocation may take, milliseconds. Default: 3,000, as on Lambda. */
  readonly timeoutMs?: number;
  /** From SIGTERM to SIGKILL, milliseconds. Default: 500, as on Lambda with an internal extension. */
  readonly shutdownMs?: number;
  /** Default: `on-demand`, or `lambda-managed-instances` with `concurrency`. */
  readonly initializationType?: InitializationType;
  /** Runs the function as on a managed instance: up to `max` invocations at a time on `workers` threads, and nothing freezes. */
  readonly concurrency?: { readonly max: number; readonly workers: number };
  /** What the function is told of its memory, MB; nothing limits it. Default: 512. */
  readonly memoryMb?: number;
}

/** A Lambda of one's own: AWS's runtime client runs a built handler in a process per environment, frozen between invocations. */
export interface Sandbox extends AsyncDisposable {
  /**
   * Opens an environment. On demand its process starts with the first event, and init failures are that invocation's error. Otherwise it is
   * initialized here, and frozen unless it is a managed instance; rejects with an `InitError` when that fails.
   */
  environment(): Promise<Environment>;
  /** Kills all environments and removes their files. Safe to call more than once. */
  stop(): Promise<void>;
}

/** The init phase of an environment failed. */
export class InitError extends Error {
  readonly errorType: string;
  /** What the environment had printed. */
  readonly logs: string;

  constructor({ errorType, errorMessage }: FunctionError, logs: string) {
    super(`${errorType}: ${errorMessage}`);
    this.name = "InitError";
    this.errorType = errorType;
    this.logs = logs;
  }
}

/** Starts a sandbox. However this process ends, no process and no file of it is left. Throws when `handler` is no absolute path. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { handler, concurrency } = options;
  if (!isAbsolute(handler)) throw new Error("The handler has to be an absolute path: /…/index.handler");
  const folder = await mkdtemp(join(tmpdir(), "warmline-lambda-"));
  const watchdog = startWatchdog(folder);
  const environments: Environment[] = [];
  const initializationType = options.initializationType ?? (concurrency === undefined ? "on-demand" : "lambda-managed-instances");
  const description = {
    functionName: "warmline-test",
    functionVersion: "$LATEST",
    handler: basename(handler),
    taskRoot: dirname(handler),
    initializationType,
    memoryMb: options.memoryMb ?? 512,
    concurrency,
    env: options.env ?? {},
  };
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= Promise.all(environments.map((environment) => environment.stop("SIGKILL"))).then(watchdog.end);
    return stopping;
  };
  return {
    async environment() {
      if (stopping !== undefined) throw new Error("The sandbox was stopped.");
      const { timeoutMs = 3_000, shutdownMs = 500 } = options;
      const environment = openEnvironment({ description, timeoutMs, shutdownMs, folder, watchdog });
      environments.push(environment);
      if (initializationType === "on-demand") return environment;
      const error = await environment.initialize();
      if (error !== undefined) throw new InitError(error, environment.logs());
      return environment;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
