import type { Clock } from "./transport.ts";

/**
 * Time told by `performance`, which is there to measure: whoever watches over what is rendered lets it pass. Where it stands still, nothing is
 * held over that.
 */
export const steadyClock: Clock = {
  now: () => Math.round(performance.timeOrigin + performance.now()),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
};
