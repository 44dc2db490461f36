import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import type { Watchdog } from "./watchdog.ts";

/** How a process ended: with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process in which AWS's runtime client runs a handler. */
export interface RuntimeProcess {
  readonly pid: number;
  /** Resolves when it has ended and all it printed was read. */
  readonly exited: Promise<Exit>;
  /** Stops it (SIGSTOP). Resolves when each of its threads stands still, or when it was thawed or ended meanwhile. */
  freeze(): Promise<void>;
  /** Continues it (SIGCONT). Does nothing when it runs. */
  thaw(): void;
  /** Sends a signal; nothing happens when it has ended. A stopped process dies of SIGKILL alone. */
  kill(signal: NodeJS.Signals): void;
}

/** What a process is started with. */
export interface RuntimeProcessOptions {
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory. */
  readonly taskRoot: string;
  /** File of the shifted clock. */
  readonly clock: string;
  readonly watchdog: Watchdog;
  onOutput(text: string): void;
}

const runtimeClient = createRequire(import.meta.url).resolve("aws-lambda-ric");

/** Starts one. Throws when the process cannot be started at all. */
export function startRuntimeProcess({ env, taskRoot, clock, watchdog, onOutput }: RuntimeProcessOptions): RuntimeProcess {
  const preload = new URL("./preload.ts", import.meta.url);
  preload.searchParams.set("clock", clock);
  const args = ["--import", preload.href, runtimeClient];
  const child = spawn(process.execPath, args, { cwd: taskRoot, env, stdio: ["ignore", "pipe", "pipe"] });
  const { pid } = child;
  if (pid === undefined) throw new Error("The runtime's process did not start.");
  watchdog.add(pid);
  for (const output of [child.stdout, child.stderr]) output.setEncoding("utf8").on("data", onOutput);
  let running = true;
  let frozen = false;
  child.once("exit", () => {
    running = false;
    watchdog.remove(pid);
  });
  const exited = new Promise<Exit>((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  return {
    pid,
    exited,
    async freeze() {
      frozen = true;
      child.kill("SIGSTOP");
      while (running && frozen && !(await standsStill(pid))) await delay(1);
    },
    thaw() {
      if (frozen) child.kill("SIGCONT");
      frozen = false;
    },
    kill: (signal) => void child.kill(signal),
  };
}

/** A signal is sent at once and takes effect a moment later, thread by thread. Elsewhere than on Linux there is no telling: it is believed. */
async function standsStill(pid: number): Promise<boolean> {
  if (process.platform !== "linux") return true;
  try {
    const tasks = await readdir(`/proc/${pid}/task`);
    const stats = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/stat`, "utf8")));
    return stats.every((stat) => stat.slice(stat.lastIndexOf(")")).startsWith(") T"));
  } catch {
    return false;
  }
}
