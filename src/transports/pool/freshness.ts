/** What is known of a connection's life, by the wall clock: milliseconds since the epoch. */
export interface Life {
  readonly connectedAt: number;
  usedAt: number;
  /** Its own share of chance, 0 to 1, so that connections made together do not end together. */
  readonly jitter: number;
}

/** When a connection is too old to be worth asking. */
export interface FreshnessLimits {
  /** After so long without use the other end has closed it; null where that is not known. */
  readonly serverIdleMs: number | null;
  /** Replaced at this age, less up to a tenth by its jitter; 0 for never. */
  readonly lifetimeMs: number;
}

/** `use` it as it is, `ask` whether it still answers, or `replace` it without asking. */
export type Verdict = "use" | "ask" | "replace";

/** What was used so recently has not been through a freeze, nor through any idle limit on its way. */
export const TRUST_MS = 1_000;

/**
 * Judges a connection before it is used again. Only the wall clock counts: timers and the monotonic clock stand still in a frozen
 * environment. A clock that was set back makes it ask.
 */
export function judge(life: Life, limits: FreshnessLimits, at: { readonly now: number; readonly suspectSince: number }): Verdict {
  const idleMs = at.now - life.usedAt;
  const ageMs = at.now - life.connectedAt;
  if (limits.lifetimeMs > 0 && ageMs >= limits.lifetimeMs * (1 - life.jitter / 10)) return "replace";
  if (limits.serverIdleMs !== null && idleMs >= limits.serverIdleMs) return "replace";
  return idleMs >= 0 && idleMs < TRUST_MS && life.usedAt >= at.suspectSince ? "use" : "ask";
}

/**
 * Lets what has arrived at a socket be seen: a FIN, a reset, a farewell. From within an I/O callback one turn of the event loop is not
 * enough.
 */
export function afterTwoTicks(work: () => void): void {
  setImmediate(() => setImmediate(work));
}
