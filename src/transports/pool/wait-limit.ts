import type { Room } from "./room.ts";

/** What somebody waited for: that another gave a connection back, or that one was open. */
export type WaitedFor = "another" | "opening";

/** Timers count in whole milliseconds, and may be early by a part of one. */
const TIMER_STEP_MS = 1;

/**
 * Bounds a wait by what is waited for: while a connection of the room is being opened, who waits is waiting for that, and `connectTimeoutMs`
 * counts; otherwise for others, and `acquireTimeoutMs` does. `late` is called once. Returns what ends the watch.
 */
export function limitWait(room: Pick<Room, "limits" | "opening">, late: (waitedFor: WaitedFor) => void): () => void {
  const beganAt = performance.now();
  const openingBefore = room.opening.until(beganAt);
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const { acquireTimeoutMs, connectTimeoutMs } = room.limits;
    const now = performance.now();
    const openingMs = room.opening.until(now) - openingBefore;
    const othersLeft = left(acquireTimeoutMs, now - beganAt - openingMs);
    const openingLeft = left(connectTimeoutMs, openingMs);
    if (othersLeft < TIMER_STEP_MS) late("another");
    else if (openingLeft < TIMER_STEP_MS) late("opening");
    else if (othersLeft < Infinity || openingLeft < Infinity) timer = setTimeout(look, Math.min(othersLeft, openingLeft));
  };
  look();
  return () => clearTimeout(timer);
}

/** What is left of a limit; 0 is none. */
function left(limitMs: number, spentMs: number): number {
  return limitMs > 0 ? limitMs - spentMs : Number.POSITIVE_INFINITY;
}
