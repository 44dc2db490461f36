import cluster, { type Worker } from "node:cluster";
import { type AddressInfo, createServer } from "node:net";
import { ServeError } from "./serve-error.ts";

/** How the application is served by several processes. */
export interface ProcessesOptions {
  /** At least 2. */
  readonly count: number;
  /** The most connections all of them may hold together, what one process would hold; 0 where calls hold none. */
  readonly connections: number;
  /** What each is started with besides the environment of this one. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Told of what an operator should read, a line each. */
  readonly say: (line: string) => void;
}

/** Processes that answer on one port. */
export interface Processes {
  /** Where they answer. */
  readonly url: string;
  /** Has every process finish what it answers, and resolves when the last has ended. */
  stop(): Promise<void>;
}

/** What a process is started with besides the environment of the one that starts it. */
const CONNECTIONS = "PROCESS_CONNECTIONS";

/** Longest pause, in milliseconds, before a process that failed is replaced. */
const LONGEST_PAUSE_MS = 10_000;

/** A process that ends sooner than this after it listened, in milliseconds, has failed like one that never did: what ends it may end the next. */
const SETTLED_MS = 2_000;

/** Most processes there may be: more than any machine this runs on has cores. */
const MOST = 256;

/**
 * Reads PROCESSES: how many processes answer on the port, 1 where it is not set.
 * @throws ServeError when it is no such number.
 */
export function processesFrom(text: string | undefined): number {
  if (!text) return 1;
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST) throw new ServeError(`PROCESSES is not a number of processes: set it to 1 to ${MOST}, such as the cores.`);
  return count;
}

/** In a process that was started by `startProcesses`: the most connections it may hold; undefined for no share, and in any other process. */
export function ownShare(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const share = cluster.isWorker ? env[CONNECTIONS] : undefined;
  return share === undefined ? undefined : Number(share);
}

/** How a process ended that was not told to. */
interface Ending {
  /** In words, without a full stop. */
  readonly how: string;
  /** For how long it had listened, in milliseconds; 0 for one that never did. */
  readonly listenedMs: number;
  /** Whether it was there to say why: one that exits writes its own line, one that was killed or never began cannot. */
  readonly hasSaidWhy: boolean;
}

/**
 * Starts this program `count` times and resolves once all listen, on one port. The first is waited for before the others are started, so what
 * keeps it from listening is said once, by that one if it can: then this gives null. A process that ends by itself is replaced: at once, or
 * after a pause that grows where one after the other ends before it has settled.
 *
 * @throws ServeError when there are more processes than connections.
 */
export async function startProcesses({ count, connections, env, say }: ProcessesOptions): Promise<Processes | null> {
  const shares = divide(connections, count);
  const running = new Set<Worker>();
  const pauses = new Set<NodeJS.Timeout>();
  let stopped: PromiseWithResolvers<void> | undefined;
  let failures = 0;

  // Node's own turns hand each connection over by a message, and one on its way to a process that is killed hangs for good. Shared, the socket's
  // queue is the kernel's, and what nobody has accepted is accepted by another.
  cluster.schedulingPolicy = cluster.SCHED_NONE;

  /** Resolves with where the process listens, or with null where it ended before that, or could not be started. */
  const start = (share: number | undefined, onEnd: (ending: Ending) => void): Promise<string | null> => {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    let worker: Worker;
    try {
      worker = cluster.fork({ ...env, ...(share !== undefined && { [CONNECTIONS]: share }) });
    } catch (error) {
      // what Node tells by no event: ENOMEM, ENOTDIR
      onEnd(notStarted(error as NodeJS.ErrnoException));
      return Promise.resolve(null);
    }
    running.add(worker);
    let listensSince: number | undefined;
    worker.once("message", (url: string) => {
      listensSince = performance.now();
      resolve(url);
      if (stopped !== undefined) tellToStop(worker);
    });
    const end = (ending: Ending) => {
      if (!running.delete(worker)) return;
      resolve(null);
      if (stopped === undefined) onEnd(ending);
      else if (running.size === 0) stopped.resolve();
    };
    worker.once("exit", (code, signal) =>
      end({
        how: `Process ${worker.process.pid} ended (${signal ?? `exit code ${code}`})`,
        listenedMs: listensSince === undefined ? 0 : performance.now() - listensSince,
        hasSaidWhy: !signal,
      }),
    );
    worker.on("error", (error: NodeJS.ErrnoException) => {
      // else it is a message that did not reach it, and its end is told by itself
      if (worker.process.pid === undefined) end(notStarted(error));
    });
    return promise;
  };

  const keep = (share: number | undefined): Promise<string | null> => start(share, (ending) => replace(share, ending));

  const replace = (share: number | undefined, { how, listenedMs }: Ending): void => {
    if (listenedMs >= SETTLED_MS) failures = 0;
    const pauseMs = listenedMs >= SETTLED_MS ? 0 : Math.min(LONGEST_PAUSE_MS, 100 * 2 ** failures++);
    say(`${how}; another is started${pauseMs === 0 ? "" : ` in ${pauseMs} ms`}.`);
    const pause = setTimeout(async () => {
      pauses.delete(pause);
      if ((await keep(share)) !== null) say("The other listens.");
    }, pauseMs);
    pauses.add(pause);
  };

  const url = await start(shares[0], (ending) => {
    if (ending.listenedMs > 0) replace(shares[0], ending);
    else if (!ending.hasSaidWhy) say(`${ending.how}.`);
  });
  if (url === null) return null;
  await Promise.all(Array.from({ length: count - 1 }, (_, index) => keep(shares[index + 1])));
  return {
    url,
    stop() {
      if (stopped === undefined) {
        stopped = Promise.withResolvers();
        for (const pause of pauses) clearTimeout(pause);
        for (const worker of running) tellToStop(worker);
        if (running.size === 0) stopped.resolve();
      }
      return stopped.promise;
    },
  };
}

/**
 * A port nobody has: where all processes are killed at once, those that replace them would be given another one for the asking.
 * 0 where there is none to be had, of which the first process tells.
 */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(0));
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function notStarted({ code }: NodeJS.ErrnoException): Ending {
  return { how: `A process could not be started (${code})`, listenedMs: 0, hasSaidWhy: false };
}

/** One that has just ended needs no telling; one that does not listen yet is told again when it does. */
function tellToStop(worker: Worker): void {
  worker.send("stop", () => {});
}

/**
 * Tells the process that started this one where it listens, and calls `end`, once, when that one or SIGTERM asks for it. A terminal's Ctrl-C
 * reaches every process of the group, so SIGINT is left to the one that started this.
 */
export function joinProcesses(url: string, end: () => Promise<void>): void {
  let isEnding = false;
  const endOnce = async () => {
    if (isEnding) return;
    isEnding = true;
    await end();
    process.disconnect();
  };
  process.on("message", (message) => {
    if (message === "stop") void endOnce();
  });
  process.on("SIGTERM", endOnce).on("SIGINT", () => {});
  process.send?.(url);
}

/** Shares of `connections`, as even as can be. */
function divide(connections: number, count: number): number[] {
  if (connections === 0) return [];
  if (connections < count) {
    throw new ServeError(
      `PROCESSES is ${count}, and the pool holds ${connections} connection${connections === 1 ? "" : "s"} in all: start ${connections} at most, or allow more by connection_limit in DATABASE_URL.`,
    );
  }
  return Array.from({ length: count }, (_, index) => Math.floor(connections / count) + (index < connections % count ? 1 : 0));
}
