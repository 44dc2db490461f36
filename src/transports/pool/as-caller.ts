import { AsyncResource } from "node:async_hooks";

/**
 * Has functions run as whoever calls this: in its async context. `AsyncResource.bind` does the same, and gives each function a deprecated
 * property, which takes two kilobytes.
 */
export function asCaller(): <Given extends unknown[], T>(work: (...given: Given) => T) => (...given: Given) => T {
  const caller = new AsyncResource("WarmlineCaller");
  return (work) =>
    (...given) =>
      caller.runInAsyncScope(work, undefined, ...given);
}
