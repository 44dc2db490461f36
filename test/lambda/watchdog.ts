import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Sees to it that no process and no file of a sandbox outlives the process that started it. */
export interface Watchdog {
  /** From now on this process is killed with its starter. */
  add(pid: number): void;
  /** This process has ended: its number may belong to another. */
  remove(pid: number): void;
  /** Kills what is left, removes the folder, and ends. */
  end(): Promise<void>;
}

/** Starts a watchdog over `folder`. It does not keep this process alive. */
export function startWatchdog(folder: string): Watchdog {
  const script = fileURLToPath(new URL("./watchdog-process.ts", import.meta.url));
  const env = { PATH: process.env.PATH };
  // A session of its own keeps the terminal's Ctrl-C away from it.
  const child = spawn(process.execPath, [script, folder], { stdio: ["pipe", "ignore", "ignore"], detached: true, env });
  const ended = once(child, "exit");
  // Without this a watchdog that was itself killed would end this process with EPIPE.
  child.stdin.on("error", () => {});
  child.unref();
  return {
    add: (pid) => void child.stdin.write(`+${pid}\n`),
    remove: (pid) => void child.stdin.write(`-${pid}\n`),
    async end() {
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}
