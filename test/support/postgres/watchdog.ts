/**
 * Ends Postgres and removes its folder as soon as the process that started it is gone, however that ended.
 *
 * Started by postgres.ts with the folder as its argument. Lines on standard input name processes to end, `+pid`, or no longer to end, `-pid`.
 * The end of standard input, which the operating system brings about when the starter dies, is the signal to act.
 */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: postgres-watchdog.ts <folder>");

const pids = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith("+")) pids.add(pid);
  else pids.delete(pid);
}

// The data is thrown away, so Postgres need not write it out first: SIGQUIT is its immediate shutdown.
for (const pid of pids) send(pid, "SIGQUIT");
for (let waitedMs = 0; waitedMs < 2_000 && [...pids].some(isAlive); waitedMs += 20) await delay(20);
for (const pid of pids) send(pid, "SIGKILL");
await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Their starter is dead: where process 1 reaps no children they stay on as zombies, which hold nothing. */
function isAlive(pid: number): boolean {
  if (!send(pid, 0)) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return process.platform !== "linux";
  }
}
