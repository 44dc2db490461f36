import { vi } from "vitest";

/** Longer than a connection is trusted without being asked, and shorter than any limit that is known, milliseconds. */
export const PAUSE_MS = 60_000;

const machinesNow = Date.now;
let aheadMs = 0;

/** Sets this process' wall clock ahead, as a freeze does; timers and sockets notice nothing. */
export function pause(ms: number = PAUSE_MS): void {
  aheadMs += ms;
  if (!vi.isMockFunction(Date.now)) vi.spyOn(Date, "now").mockImplementation(() => machinesNow() + aheadMs);
}

/** Keeps this process from doing anything for so long, so that what arrives meanwhile is there, and not yet seen. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
