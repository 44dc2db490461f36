/** So long after it said that it is fine so far, by the wall clock, the handler of errands crashes, milliseconds. */
export const CRASHES_AFTER_MS = 60_000;
