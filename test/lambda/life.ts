import type { Clock } from "./clock.ts";
import { describeVariables, type FunctionDescription } from "./function-variables.ts";
import type { FunctionError, Reply } from "./reply.ts";
import { type Asker, startRuntimeApi } from "./runtime-api.ts";
import { type Exit, startRuntimeProcess } from "./runtime-process.ts";
import type { Watchdog } from "./watchdog.ts";

/** A process of an environment, from its start to its end. */
export interface Life {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Resolves when the init phase is over: with its error, or with undefined. */
  readonly initialized: Promise<FunctionError | undefined>;
  /** Those of its threads that wait for an event. */
  readonly askers: Set<Asker>;
  /** Its stop, if it was stopped since it last got an event. */
  frozen(): Promise<void> | undefined;
  /** How long the init phase took, milliseconds; undefined before its end. */
  initMs(): number | undefined;
  /** What was wrong in the init phase, once it is told. */
  initError(): FunctionError | undefined;
  hasExtension(): boolean;
  /** Stops it; resolves when it stands still. */
  freeze(): Promise<void>;
  /** Continues it. */
  thaw(): void;
  kill(signal: NodeJS.Signals): void;
}

/** What a life needs, and whom it tells. */
export interface LifeOptions {
  readonly description: FunctionDescription;
  readonly clock: Clock;
  readonly watchdog: Watchdog;
  onOutput(text: string): void;
  /** It may be able to take an event: the init phase is over, or a thread has asked. */
  onReady(life: Life): void;
  /** Says whether the invocation was waiting for this. */
  onReply(requestId: string, reply: Reply): boolean;
  onChunk(requestId: string, chunk: Buffer): void;
  /** It has ended; comes before `exited` is seen by others. */
  onExit(life: Life, exit: Exit): void;
}

// AWS gives the init phase of a function on demand 10 s, on a machine of its own: this one may be shared by many, and slow
const initTimeoutMs = 60_000;

/** Starts the process, and its Runtime API. Throws when that is not possible; a failed init phase is told by `initialized`. */
export async function startLife(options: LifeOptions): Promise<Life> {
  const { description, clock, watchdog } = options;
  const startedAt = performance.now();
  const askers = new Set<Asker>();
  const { promise: initialized, resolve } = Promise.withResolvers<FunctionError | undefined>();
  let initMs: number | undefined;
  let initError: FunctionError | undefined;
  let frozen: Promise<void> | undefined;

  const proceed = () => {
    if (initMs === undefined) {
      if (askers.size === 0 || !api.extensions.isReady()) return;
      initMs = performance.now() - startedAt;
      clearTimeout(timer);
      api.extensions.closeRegistration();
      resolve(undefined);
    }
    options.onReady(life);
  };
  const api = await startRuntimeApi(description, {
    onNext(asker) {
      askers.add(asker);
      proceed();
    },
    onGone: (asker) => void askers.delete(asker),
    onReply: options.onReply,
    onChunk: options.onChunk,
    onInitError(error) {
      initError = error;
    },
    onExtensionReady: proceed,
  });
  const runtime = startRuntimeProcess({
    env: describeVariables(description, api.address),
    taskRoot: description.taskRoot,
    clock: clock.path,
    watchdog,
    onOutput: options.onOutput,
  });
  const timer = setTimeout(() => {
    initError = { errorType: "Sandbox.Timedout", errorMessage: `Error: Init timed out after ${initTimeoutMs / 1_000} seconds` };
    runtime.kill("SIGKILL");
  }, initTimeoutMs);

  const exited = runtime.exited.then((exit) => {
    clearTimeout(timer);
    api.close();
    if (initMs === undefined) resolve(initError ?? describeExit(exit));
    options.onExit(life, exit);
    return exit;
  });
  const life: Life = {
    pid: runtime.pid,
    exited,
    initialized,
    askers,
    frozen: () => frozen,
    initMs: () => initMs,
    initError: () => initError,
    hasExtension: api.extensions.isInUse,
    freeze() {
      frozen = runtime.freeze();
      return frozen;
    },
    thaw() {
      frozen = undefined;
      runtime.thaw();
    },
    kill: runtime.kill,
  };
  return life;
}

/** The error of an invocation, or an init phase, that was lost with its process. */
export function describeExit({ code, signal }: Exit): FunctionError {
  const how = signal === null ? `exit status ${code}` : `signal: ${signal}`;
  return { errorType: "Runtime.ExitError", errorMessage: `Error: Runtime exited with error: ${how}` };
}
