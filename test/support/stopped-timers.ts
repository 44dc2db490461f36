import { vi } from "vitest";

/** Timers that stand still. */
export interface StoppedTimers extends Disposable {
  /** Lets so much of their time pass at once: what is due by then fires. */
  pass(ms: number): void;
}

/**
 * Stops this process' timers until they are disposed of: what a limit ends then ends when the test says so, and not when the machine is slow.
 * Those that were set meanwhile never fire afterwards.
 */
export function stopTimers(): StoppedTimers {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  return { pass: (ms) => void vi.advanceTimersByTime(ms), [Symbol.dispose]: () => void vi.useRealTimers() };
}
