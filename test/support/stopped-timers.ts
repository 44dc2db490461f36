/** Timers that stand still. */
export interface StoppedTimers extends Disposable {
  /** Lets so much of their time pass at once: what is due by then fires, in its order. */
  pass(ms: number): void;
}

interface Pending {
  readonly dueAt: number;
  readonly fire: () => void;
}

/**
 * Stops this process' timers until they are disposed of, on every runtime: what a limit ends then ends when the test says so, and not when the
 * machine is slow. Those that were set meanwhile never fire afterwards. What only waits for its turn, 0 ms, goes on.
 */
export function stopTimers(): StoppedTimers {
  const { setTimeout: setRunning, clearTimeout: clearRunning } = globalThis;
  const pending = new Map<unknown, Pending>();
  const makeTimer = timersLike(setRunning(() => {}, 0));
  let now = 0;

  const set = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    if (ms <= 0) return setRunning(callback, ms, ...args);
    const timer = makeTimer();
    pending.set(timer, { dueAt: now + ms, fire: () => callback(...args) });
    return timer;
  };
  const clear = (timer: Parameters<typeof clearRunning>[0]) => {
    if (!pending.delete(timer)) clearRunning(timer);
  };
  Object.assign(globalThis, { setTimeout: Object.assign(set, setRunning), clearTimeout: clear });
  return {
    pass(ms) {
      const until = now + ms;
      for (;;) {
        const [next] = [...pending].filter(([, { dueAt }]) => dueAt <= until).sort(([, left], [, right]) => left.dueAt - right.dueAt);
        if (next === undefined) break;
        const [timer, { dueAt, fire }] = next;
        pending.delete(timer);
        now = dueAt;
        fire();
      }
      now = until;
    },
    [Symbol.dispose]: () => void Object.assign(globalThis, { setTimeout: setRunning, clearTimeout: clearRunning }),
  };
}

/** Makes what `setTimeout` gives on this runtime: a number that no running timer has, or an object. */
function timersLike(sample: unknown): () => unknown {
  let made = 0;
  if (typeof sample === "number") return () => --made;
  return () => {
    const timer = { ref: () => timer, unref: () => timer, refresh: () => timer, hasRef: () => true };
    return timer;
  };
}
