/** How long ago, milliseconds by the wall clock, which goes on while an environment is frozen. */
export interface KeptAge {
  /** Since somebody last began or ended to use it. */
  readonly idleMs: number;
  /** Since it was created; the ages of its uses added up, so a clock that was set back does not make it younger. */
  readonly ageMs: number;
}

/** How a thing is judged and closed, and whose it is. */
export interface KeepOptions<T> {
  /**
   * Whether the thing may be used once more; asked at each call, once for all who call at the same time. False, an error, or no answer within
   * `checkTimeoutMs` replaces it. Default: it always may.
   */
  readonly isFresh?: (thing: T, age: KeptAge) => boolean | Promise<boolean>;
  /** Closes a thing, as soon as no `use` of it is on its way; who called without `use` may still hold it. Default: nothing is done. */
  readonly close?: (thing: T) => unknown;
  /**
   * Whose it is: `request`, where the runtime lets no other request touch its sockets (Workers), and the process' elsewhere; or the `process`'
   * everywhere, for what has none, as a breaker; in Workers its `create` and `isFresh` may wait for nothing. Default: `request`.
   */
  readonly scope?: "request" | "process";
  /** What the thing depends on, as text; only compared. Default: the source of `create`, `isFresh` and `close`. */
  readonly fingerprint?: string;
  /** Longest a call waits for `create`, milliseconds, 2e9 at most (23 days); what comes later is closed. Default: 10,000. */
  readonly createTimeoutMs?: number;
  /** Longest a call waits for `isFresh`, milliseconds, likewise. Default: 250. */
  readonly checkTimeoutMs?: number;
  /** How long an instance on Vercel stays awake for a thing nobody uses, which is closed then, milliseconds, likewise. Default: 5,000. */
  readonly idleMs?: number;
}

/** What a platform tells of a request: a Worker's `ctx`. */
export interface KeptScope {
  /** Keeps the request's sockets open until the promise settles. */
  waitUntil(promise: Promise<unknown>): void;
}

/** Gives what is kept. */
export interface Kept<T> {
  /**
   * The thing, created where there is none that is fresh. To be asked for by each piece of work rather than held: what is replaced is closed.
   *
   * @throws ConnectionError CREATE_FAILED, with what `create` threw as its cause, or CREATE_TIMEOUT; neither is kept, the next call tries again
   * @throws UsageError NO_SCOPE in Workers, outside of `scope`
   */
  (): Promise<T>;
  /** Runs `work` with the thing, which is closed by nobody before `work` is done. Rejects as the call does, or with what `work` throws. */
  use<R>(work: (thing: T) => R | Promise<R>): Promise<R>;
  /** Runs `work` as one request: what is kept for it ends when `work` is done, and `waitUntil` waits for that. Elsewhere than in Workers it only runs it. */
  scope<R>(context: KeptScope, work: () => R): R;
  /**
   * Ends the thing, also one that is being created, when nobody uses it any more. The next call creates another.
   *
   * @throws ConnectionError CLOSE_FAILED, with what `close` threw as its cause, or CLOSE_TIMEOUT after a second
   */
  close(): Promise<void>;
}
