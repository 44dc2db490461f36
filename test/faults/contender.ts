import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Reply, Request } from "./serve.ts";
import type { SubjectConfig } from "./subject.ts";
import { trustedAuthorities } from "./trust.ts";

/** A client in a process of its own, so that its death is only its own. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** Makes its client anew. */
  open(config: SubjectConfig): Promise<void>;
  /** Runs an errand. A process that died is started again with the next one, and one that hung is ended. Rejects when the errand is broken. */
  send(request: Request, limitMs: number): Promise<Reply>;
  /** Ends its process, which is no death of its own; the next request starts another. */
  end(): Promise<void>;
  /** Lets time go by between two invocations, where there is a between. Default: a minute. */
  pause(wallClockMs?: number): Promise<void>;
  /** Processes that ended by themselves, and rejections that nobody handled, so far. */
  count(): { readonly deaths: number; readonly unhandled: number };
  /** What its processes printed last. */
  logs(): string;
}

interface Message {
  readonly id: number;
  readonly answer?: Answer;
  readonly broken?: string;
  readonly unhandled: number;
}

interface Running {
  readonly child: ChildProcess;
  readonly pending: Map<number, { answered(message: Message): void; died(): void }>;
}

const OPEN_LIMIT_MS = 30_000;
const KEPT_LOG = 4_000;
const program = fileURLToPath(new URL("contender-process.ts", import.meta.url));

/**
 * Starts nothing yet: its process begins with the first request. `name` is a file in `subjects`; compiled code is kept in `cacheFolder`, for a
 * process that dies in every round is started as often.
 */
export function createContender(name: string, cacheFolder: string): Contender {
  let running: Promise<Running> | undefined;
  let config: SubjectConfig | undefined;
  let requests = 0;
  let deaths = 0;
  let unhandled = 0;
  let logs = "";

  async function start(): Promise<Running> {
    const subject = fileURLToPath(new URL(`subjects/${name}.ts`, import.meta.url));
    const env = { ...cleanEnvironment(), NODE_COMPILE_CACHE: cacheFolder, NODE_EXTRA_CA_CERTS: trustedAuthorities };
    const child = fork(program, [subject], { stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: ["--expose-gc"], env });
    const pending: Running["pending"] = new Map();
    const keep = (chunk: Buffer) => {
      logs = (logs + chunk).slice(-KEPT_LOG);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.on("exit", () => {
      if (running === mine) {
        running = undefined;
        deaths += 1;
      }
      for (const { died } of pending.values()) died();
    });
    let seenUnhandled = 0;
    child.on("message", (message: Message) => {
      unhandled += (message.unhandled ?? 0) - seenUnhandled;
      seenUnhandled = message.unhandled ?? 0;
      pending.get(message.id)?.answered(message);
    });
    const mine = running;
    await Promise.race([
      once(child, "message"),
      once(child, "exit").then(() => {
        throw new Error(`The contender's process did not start:\n${logs}`);
      }),
    ]);
    return { child, pending };
  }

  /** Ends the process; that is no death of its own. */
  async function end(): Promise<void> {
    const ending = running;
    running = undefined;
    const child = (await ending)?.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  function ask({ child, pending }: Running, request: Request, limitMs: number): Promise<Reply> {
    const id = ++requests;
    return new Promise<Reply>((resolve, reject) => {
      const finish = (act: () => void) => {
        clearTimeout(limit);
        pending.delete(id);
        act();
      };
      const limit = setTimeout(() => finish(() => end().then(() => resolve({ state: "hung" }))), limitMs);
      pending.set(id, {
        answered: ({ answer, broken }) =>
          finish(() => (answer === undefined ? reject(new Error(`The errand broke: ${broken}`)) : resolve({ state: "answered", answer }))),
        died: () => finish(() => resolve({ state: "died" })),
      });
      // whoever cannot be told has ended, or is ended: its exit says so, and is counted
      child.send({ id, request }, (error) => void (error && child.kill("SIGKILL")));
    });
  }

  async function ready(): Promise<Running> {
    if (running !== undefined) return await running;
    running = Promise.resolve().then(start);
    const begun = await running;
    if (config !== undefined) await ask(begun, { open: config }, OPEN_LIMIT_MS);
    return begun;
  }

  return {
    name,
    async open(next) {
      config = next;
      if (running === undefined) await ready();
      else await ask(await running, { open: next }, OPEN_LIMIT_MS);
    },
    send: async (request, limitMs) => ask(await ready(), request, limitMs),
    end,
    async pause() {},
    count: () => ({ deaths, unhandled }),
    logs: () => logs,
    [Symbol.asyncDispose]: end,
  };
}

/** Nothing of the machine's own database settings reaches a contender. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PG|DATABASE_URL|WARMLINE_|NODE_OPTIONS|VITEST)/.test(name)));
}
