import type { Pause } from "../test/lambda/environment.ts";

/**
 * How long an environment sleeps before an invocation, counted from 1: mostly 0.2 s, now and then 5, 45 and 300 s. Of a thousand that is
 * 24 minutes, less than the half hour after which a connection is replaced by age. Some of the short ones it really stands still; the others
 * only its wall clock notices.
 */
export function pauseBefore(invocation: number): Pause {
  const ms = pauseMs(invocation);
  // ten of 0.2 s, and the first of 5 s
  const isReal = invocation <= 10 || invocation === 25;
  return isReal ? { realMs: ms } : { wallClockMs: ms };
}

function pauseMs(invocation: number): number {
  if (invocation % 400 === 0) return 300_000;
  if (invocation % 90 === 0) return 45_000;
  return invocation % 25 === 0 ? 5_000 : 200;
}
