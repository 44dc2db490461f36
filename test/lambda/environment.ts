import { setTimeout as delay } from "node:timers/promises";
import { openClock } from "./clock.ts";
import type { FunctionDescription } from "./function-variables.ts";
import { createInvocation, type Invocation, type InvokeOptions, type Pending } from "./invocation.ts";
import { describeExit, type Life, startLife } from "./life.ts";
import type { FunctionError } from "./reply.ts";
import type { Asker } from "./runtime-api.ts";
import type { Exit } from "./runtime-process.ts";
import type { Watchdog } from "./watchdog.ts";

/** An end of a process that nobody asked for. */
export interface Death extends Exit {
  /** The invocations it took with it. */
  readonly requestIds: readonly string[];
}

/** How long an environment is frozen, and how long it believes to have been. */
export interface Pause {
  /** For so long the process really stands still, milliseconds. Default: 0. */
  readonly realMs?: number;
  /** By so much its wall clock is ahead when it wakes, on top of the real time and without waiting, milliseconds. Default: 0. */
  readonly wallClockMs?: number;
}

/** One execution environment of the function: one process at a time. */
export interface Environment {
  /** The running process; undefined before the first invocation, and after a death. */
  readonly pid: number | undefined;
  /** How long the last init phase took, milliseconds; undefined before its end. */
  readonly initMs: number | undefined;
  /** Processes started so far. */
  readonly inits: number;
  /** Threads of its process that wait for an event: at most its workers on a managed instance, which takes events as soon as there is one. */
  readonly waiting: number;
  /** Processes that ended by themselves. Time-outs, failed inits that were reported, and `stop` are none. */
  readonly deaths: readonly Death[];
  /** What its processes printed. */
  logs(): string;
  /**
   * Hands over an event, and resolves when the reply is complete and the process is frozen again (a managed instance never is). A process that is not there is
   * started first. Events that come while another is handled wait; the one after it then finds the process unfrozen. Failures of function and platform
   * are told by `error`; rejects only after `stop`.
   */
  invoke<Value = unknown>(event: unknown, options?: InvokeOptions): Promise<Invocation<Value>>;
  /** Lets a pause go by. Throws when the process is not frozen. */
  freezeFor(pause: Pause): Promise<void>;
  /**
   * Ends the environment for good. "SIGTERM" is the platform's shutdown: the signal is sent only where an extension is registered, and SIGKILL after
   * `shutdownMs`; without an extension SIGKILL comes at once. Gives how the process ended, undefined without one. Default: "SIGTERM".
   */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<Exit | undefined>;
}

/** What an environment is made of. */
export interface EnvironmentOptions {
  readonly description: FunctionDescription;
  /** Longest an invocation may take unless it says otherwise, milliseconds. */
  readonly timeoutMs: number;
  /** From SIGTERM to SIGKILL, milliseconds. */
  readonly shutdownMs: number;
  /** Folder for its files. */
  readonly folder: string;
  readonly watchdog: Watchdog;
}

/** An environment as the sandbox holds it. */
export interface OpenEnvironment extends Environment {
  /** Starts its process ahead of any event; gives the error of the init phase. */
  initialize(): Promise<FunctionError | undefined>;
}

/** Opens an environment; nothing is started yet. */
export function openEnvironment(options: EnvironmentOptions): OpenEnvironment {
  const { description, timeoutMs, shutdownMs, folder, watchdog } = options;
  const interleaves = description.concurrency !== undefined;
  const maxRunning = description.concurrency?.max ?? 1;
  const clock = openClock(folder);
  const queue: Pending[] = [];
  const running = new Map<string, Pending>();
  const deaths: Death[] = [];
  let life: Life | undefined;
  let starting: Promise<Life> | undefined;
  let stopped = false;
  let inits = 0;
  let initMs: number | undefined;
  let logs = "";

  const start = async (): Promise<Life> => {
    inits += 1;
    initMs = undefined;
    starting = startLife({
      description,
      clock,
      watchdog,
      onOutput(text) {
        logs += text;
      },
      onReady: advance,
      onReply(requestId, reply) {
        const pending = running.get(requestId);
        if (life === undefined || pending === undefined || pending.isAnswered()) return false;
        pending.answer(reply);
        advance(life);
        return true;
      },
      onChunk: (requestId, chunk) => running.get(requestId)?.onChunk(chunk),
      onExit: bury,
    });
    life = await starting;
    starting = undefined;
    return life;
  };

  /** Looks whether an invocation is over, whether another can begin, and whether there is nothing to do. */
  const advance = (own: Life): void => {
    initMs = own.initMs();
    for (const [requestId, pending] of running) {
      if (!pending.isAnswered()) continue;
      // One at a time, it is over when the runtime asks for the next.
      if (!interleaves && own.askers.size === 0) return;
      running.delete(requestId);
      if (interleaves || queue.length > 0) pending.finish();
      else void own.freeze().then(pending.finish);
    }
    for (const asker of own.askers) {
      if (running.size >= maxRunning) break;
      const pending = queue.shift();
      if (pending === undefined) break;
      own.askers.delete(asker);
      handOver(own, asker, pending);
    }
    if (!interleaves && running.size === 0 && own.frozen() === undefined) void own.freeze();
  };

  const handOver = (own: Life, asker: Asker, pending: Pending): void => {
    running.set(pending.requestId, pending);
    own.thaw();
    pending.begin(() => {
      if (!interleaves) return own.kill("SIGKILL");
      running.delete(pending.requestId);
      pending.finish();
      advance(own);
    });
    const give = () => asker.give({ requestId: pending.requestId, body: pending.body, deadlineAt: clock.now() + pending.leftMs() });
    if (pending.awakeMs === 0) give();
    else setTimeout(give, pending.awakeMs);
  };

  const bury = (own: Life, exit: Exit): void => {
    life = undefined;
    const isOver = stopped || own.initMs() === undefined;
    const lost = [...running.values(), ...(isOver ? queue.splice(0) : [])];
    running.clear();
    const wasAskedFor = stopped || own.initError() !== undefined || lost.some((pending) => pending.isTimedOut());
    if (!wasAskedFor) deaths.push({ ...exit, requestIds: lost.map((pending) => pending.requestId) });
    for (const pending of lost) pending.fail(own.initError() ?? describeExit(exit));
    if (queue.length > 0) void start();
  };

  return {
    get pid() {
      return life?.pid;
    },
    get initMs() {
      return initMs;
    },
    get inits() {
      return inits;
    },
    get waiting() {
      return life?.askers.size ?? 0;
    },
    deaths,
    logs: () => logs,
    async initialize() {
      const own = await start();
      const error = await own.initialized;
      await own.frozen();
      return error;
    },
    async invoke<Value>(event: unknown, options: InvokeOptions = {}) {
      if (stopped) throw new Error("The environment was stopped.");
      const coldStart = life === undefined;
      const { pending, result } = createInvocation<Value>(event, { deadlineMs: timeoutMs, coldStart, ...options });
      queue.push(pending);
      if (life !== undefined && initMs !== undefined) advance(life);
      else if (life === undefined && starting === undefined) await start();
      return await result;
    },
    async freezeFor({ realMs = 0, wallClockMs = 0 }) {
      const frozen = life?.frozen();
      if (frozen === undefined) throw new Error("Only a frozen environment can stay frozen: await its invocations first.");
      await frozen;
      await delay(realMs);
      clock.shift(wallClockMs);
    },
    async stop(signal = "SIGTERM") {
      stopped = true;
      await starting;
      const own = life;
      if (own === undefined) return clock.close();
      if (signal === "SIGTERM" && own.hasExtension()) {
        own.thaw();
        own.kill("SIGTERM");
      } else {
        // What is frozen dies without waking.
        own.kill("SIGKILL");
      }
      const timer = setTimeout(() => own.kill("SIGKILL"), shutdownMs);
      const exit = await own.exited;
      clearTimeout(timer);
      clock.close();
      return exit;
    },
  };
}
