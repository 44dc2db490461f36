import type { Pause } from "../../test/lambda/sandbox.ts";

/**
 * How long an environment sleeps before an invocation, counted from 1: mostly 0.2 s, now and then 5, 45 and 300 s. Some of the short ones it
 * really stands still; the others only its wall clock notices.
 *
 * Of a thousand that is 24 minutes. Equal shares would be a day, in which a connection at its default settings is replaced every half hour by
 * age, as it should be: then one session could not be promised, and a longer lifetime would prove settings that nobody has.
 */
export function pauseBefore(invocation: number): Pause {
  const ms = pauseMs(invocation);
  // ten of 0.2 s, and the first of 5 s
  const isReal = invocation <= 10 || invocation === 25;
  return isReal ? { realMs: ms } : { wallClockMs: ms };
}

/** What `invocations` have slept, in words. */
export function pausesInWords(invocations: number): string {
  const times = new Map<number, number>();
  let sumMs = 0;
  for (let invocation = 1; invocation <= invocations; invocation++) {
    const ms = pauseMs(invocation);
    sumMs += ms;
    times.set(ms, (times.get(ms) ?? 0) + 1);
  }
  const each = [...times].sort(([left], [right]) => left - right).map(([ms, count]) => `${count} × ${ms / 1_000} s`);
  return `frozen before each: ${each.join(", ")}, in all ${Math.round(sumMs / 60_000)} min, for a connection is replaced when it is 30 min old`;
}

function pauseMs(invocation: number): number {
  if (invocation % 400 === 0) return 300_000;
  if (invocation % 90 === 0) return 45_000;
  return invocation % 25 === 0 ? 5_000 : 200;
}
