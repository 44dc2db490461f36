import { vi } from "vitest";

/** Timers that stand still. */
export interface StoppedTimers extends Disposable {
  /** Lets so much of their time pass at once: what is due by then fires. */
  pass(ms: number): void;
}

/**
 * Stops this process' timers until they are disposed of: what a limit ends then ends when the test says so, and not when the machine is slow.
 * Those that were set meanwhile never fire afterwards. What only waits for its turn, 0 ms, goes on.
 */
export function stopTimers(): StoppedTimers {
  const { setTimeout: running } = globalThis;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { setTimeout: stopped } = globalThis;
  const either = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
    (ms ? stopped : running)(callback, ms, ...args);
  globalThis.setTimeout = Object.assign(either, running);
  return { pass: (ms) => void vi.advanceTimersByTime(ms), [Symbol.dispose]: () => void vi.useRealTimers() };
}
