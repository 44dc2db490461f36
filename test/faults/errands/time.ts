import type { Stage } from "../stage.ts";

const now = Date.now;

/** What happens to a process's time. */
export const timeErrands = {
  /** Sets the wall clock so far ahead of the machine's, or behind; gives what it says. */
  async clock(_: Stage, { shiftMs }: { readonly shiftMs: number }): Promise<number> {
    Date.now = shiftMs === 0 ? now : () => now() + shiftMs;
    return Date.now();
  },
  /** What the wall clock says. */
  async now(): Promise<number> {
    return Date.now();
  },
  /** Blocks the event loop, and writes before anything else has a turn. Gives how long it was blocked, milliseconds. */
  async blocked({ subject, call }: Stage, { id, forMs }: { readonly id: string; readonly forMs: number }): Promise<number> {
    const blockedMs = block(forMs);
    await call([id], () => subject.write({ id }));
    return blockedMs;
  },
  /** Sends a write, and blocks the event loop while it is on its way. Gives how long it was blocked, milliseconds. */
  async blockedInFlight({ subject, call }: Stage, { id, forMs }: { readonly id: string; readonly forMs: number }): Promise<number> {
    const writing = call([id], () => subject.write({ id }));
    // the statement leaves in the turns that follow
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    const blockedMs = block(forMs);
    await writing;
    return blockedMs;
  },
} as const;

function block(forMs: number): number {
  const startedAt = performance.now();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
  return performance.now() - startedAt;
}
