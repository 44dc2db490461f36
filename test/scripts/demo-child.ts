import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A script of this project as a process of its own, over the built package. */
export interface ScriptChild {
  readonly pid: number;
  /** Resolves when it has written this to standard error; rejects when it ends before. */
  writes(text: string): Promise<void>;
  /** What it has written to standard error so far. */
  written(): string;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  signal(name: NodeJS.Signals): void;
}

/** Starts `node scripts/<name>`. @throws when the package has not been built */
export function startScript(name: string, args: readonly string[] = []): ScriptChild {
  if (!existsSync(`${root}dist/node/warmline.js`))
    throw new Error("dist is missing: `npm run build` first. The scripts run on the built package.");
  const child = spawn(process.execPath, [`scripts/${name}`, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    pid: child.pid as number,
    ended,
    written: () => stderr,
    signal: (signal) => void child.kill(signal),
    async writes(text) {
      const over = ended.then(() => {
        if (!stderr.includes(text)) throw new Error(`${name} ended before it wrote "${text}": ${stderr}`);
      });
      while (!stderr.includes(text)) await Promise.race([once(child.stderr, "data"), over]);
    },
  };
}

/** A process as `ps` lists it. */
export interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The processes that a process has started, and those that they have. */
export function descendants(pid: number): ListedProcess[] {
  const all = listProcesses();
  const below = (parent: number): ListedProcess[] => all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** Waits until none of these processes runs, at most so long; gives those that still do. */
export async function stillRunningAfter(processes: readonly ListedProcess[], limitMs: number): Promise<readonly ListedProcess[]> {
  const giveUpAt = Date.now() + limitMs;
  for (;;) {
    const running = new Set(listProcesses().map(({ pid }) => pid));
    const left = processes.filter(({ pid }) => running.has(pid));
    if (left.length === 0 || Date.now() > giveUpAt) return left;
    await delay(50);
  }
}

/** Every process but the zombies: they hold nothing, and stay where process 1 does not reap. */
function listProcesses(): ListedProcess[] {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,comm="], { encoding: "utf8" });
  return listing
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = ""]) => !state.startsWith("Z"))
    .map(([own, parent, , ...command]) => ({ pid: Number(own), parent: Number(parent), command: command.join(" ") }));
}
