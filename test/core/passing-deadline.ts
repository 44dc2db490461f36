import type { WarmlineError } from "../../src/entry/node.ts";
import { type StoppedTimers, stopTimers } from "../support/stopped-timers.ts";
import { failureOf, until } from "./databases.ts";

/** What a call is given. */
export interface GivenTime {
  /** How much time passes in all, at once, milliseconds. */
  readonly ms: number;
  /** Asked until it holds; no time passes before. */
  readonly once: () => boolean | Promise<boolean>;
}

/** What a call fails with when its time passes once it is as far as the test wants it, neither earlier nor later on a slow machine. */
export async function failureAfter(send: () => Promise<unknown>, { ms, once }: GivenTime): Promise<WarmlineError> {
  using timers = stopTimers();
  const failure = failureOf(send());
  await until(once);
  timers.pass(ms);
  return await failure;
}

/** What a call fails with while time passes fast, ten times as fast as it does. */
export async function failureInTime(timers: StoppedTimers, send: () => Promise<unknown>): Promise<WarmlineError> {
  let over = false;
  const failure = failureOf(send()).finally(() => {
    over = true;
  });
  await until(() => {
    timers.pass(50);
    return over;
  });
  return await failure;
}
