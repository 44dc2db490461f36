import type { Room } from "./room.ts";

/** What somebody waited for: that another gave a connection back, or that one was open. */
export type WaitedFor = "another" | "opening";

/**
 * Bounds a wait by what is waited for: while a connection of the room is being opened, who waits is waiting for that, and `connectTimeoutMs`
 * counts, for each of the `servers` that may be tried; otherwise for others, and `acquireTimeoutMs` does. `late` is called once. Returns what ends
 * the watch.
 */
export function limitWait(room: Pick<Room, "limits" | "opening">, servers: number, late: (waitedFor: WaitedFor) => void): () => void {
  const { opening } = room;
  let timer: NodeJS.Timeout | undefined;
  let othersMs = 0;
  let openingMs = 0;
  const watch = () => {
    const { acquireTimeoutMs, connectTimeoutMs } = room.limits;
    const othersLeft = left(acquireTimeoutMs, othersMs);
    const openingLeft = left(connectTimeoutMs * servers, openingMs);
    if (othersLeft <= 0) return late("another");
    if (openingLeft <= 0) return late("opening");
    const ms = Math.min(othersLeft, openingLeft);
    if (ms === Number.POSITIVE_INFINITY) return;
    const { changes, runs } = opening;
    const beganAt = performance.now();
    const openingBefore = opening.until(beganAt);
    timer = setTimeout(() => {
      const now = performance.now();
      // timers count in whole milliseconds, and may be early by a part of one
      const passedMs = Math.max(ms, now - beganAt);
      const ofOpening = opening.changes === changes ? (runs ? passedMs : 0) : opening.until(now) - openingBefore;
      openingMs += ofOpening;
      othersMs += passedMs - ofOpening;
      watch();
    }, ms);
  };
  watch();
  return () => clearTimeout(timer);
}

/** What is left of a limit; 0 is none. */
function left(limitMs: number, spentMs: number): number {
  return limitMs > 0 ? limitMs - spentMs : Number.POSITIVE_INFINITY;
}
