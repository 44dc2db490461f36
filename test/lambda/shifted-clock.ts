import { openSync, readSync } from "node:fs";

/**
 * Moves this thread's wall clock by the milliseconds that stand, as one float64, in the file at `path`; they are read again at every look.
 * `Date.now()`, `new Date()` and `Date()` are moved; timers, `performance` and `process.hrtime` are not, as in a paused virtual machine.
 */
export function shiftClock(path: string): void {
  const file = openSync(path, "r");
  const shiftMs = new Float64Array(1);
  const unshifted = Date;
  const unshiftedNow = Date.now;
  const now = () => {
    readSync(file, shiftMs, 0, 8, 0);
    return unshiftedNow() + (shiftMs[0] ?? 0);
  };
  unshifted.now = now;
  const shifted = new Proxy(unshifted, {
    apply: () => new unshifted(now()).toString(),
    construct: (target, values, newTarget) => Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget),
  });
  unshifted.prototype.constructor = shifted;
  globalThis.Date = shifted;
}
