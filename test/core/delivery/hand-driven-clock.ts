/** A clock that goes only when it is told to. */
export function handDrivenClock() {
  let nowMs = 1_000_000;
  const timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();
  let made = 0;
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    now: () => nowMs,
    setTimeout(callback: () => void, ms: number) {
      timers.set(++made, { atMs: nowMs + ms, callback });
      return made;
    },
    clearTimeout: (timer: unknown) => void timers.delete(timer as number),
    pending: () => timers.size,
    /** Sets it to another time, as a freeze or a correction does; timers notice nothing. */
    jump(ms: number) {
      nowMs += ms;
    },
    /** Goes on by so many milliseconds, timer by timer, and lets promises settle in between. */
    async advance(ms: number) {
      await settle();
      const until = nowMs + ms;
      for (;;) {
        const [next] = [...timers].sort(([, a], [, b]) => a.atMs - b.atMs);
        if (next === undefined || next[1].atMs > until) break;
        nowMs = next[1].atMs;
        timers.delete(next[0]);
        next[1].callback();
        await settle();
      }
      nowMs = until;
      await settle();
    },
  };
}
