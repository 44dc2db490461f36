import { vi } from "vitest";

/** Longer than a connection is trusted without being asked, and shorter than any limit that is known, milliseconds. */
export const PAUSE_MS = 60_000;

const machinesNow = Date.now;
const machinesStopwatch = performance.now.bind(performance);
let aheadMs = 0;

/** Stops this process' wall clock until mocks are restored; only `pause` moves it on. A slow machine then makes no connection look unused. */
export function stopWallClock(): void {
  if (vi.isMockFunction(Date.now)) return;
  const stoppedAt = machinesNow();
  vi.spyOn(Date, "now").mockImplementation(() => stoppedAt + aheadMs);
}

/** Sets this process' wall clock ahead, as a freeze does, and stops it there; timers and sockets notice nothing. */
export function pause(ms: number = PAUSE_MS): void {
  aheadMs += ms;
  stopWallClock();
}

/**
 * Stops this process' stopwatch, by which is told what is slow, until mocks are restored; only what this returns moves it on, by milliseconds. A
 * machine that is busy then makes no answer slow.
 */
export function stopStopwatch(): (ms: number) => void {
  let now = machinesStopwatch();
  vi.spyOn(performance, "now").mockImplementation(() => now);
  return (ms) => {
    now += ms;
  };
}

/** Keeps this process from doing anything until a process of this machine has ended, so that what it said last is there, and not yet seen. */
export function standStillUntilEnded(pid: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (const giveUpAt = machinesStopwatch() + 20_000; isRunning(pid); Atomics.wait(cell, 0, 0, 1)) {
    if (machinesStopwatch() > giveUpAt) throw new Error(`Process ${pid} did not end.`);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
