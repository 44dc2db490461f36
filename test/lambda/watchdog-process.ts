/**
 * Kills the processes of a sandbox and removes its folder as soon as the sandbox's own process is gone, however that ended: a stopped process
 * can see to nothing itself.
 *
 * Started by watchdog.ts with the folder as its argument. Lines on standard input name processes to kill, `+pid`, or no longer to kill, `-pid`.
 * The end of standard input, which the operating system brings about when the starter dies, is the signal to act.
 */
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: watchdog-process.ts <folder>");

const pids = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith("+")) pids.add(pid);
  else pids.delete(pid);
}
for (const pid of pids) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
