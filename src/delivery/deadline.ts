import { CancelledError } from "../errors/errors.ts";
import { look } from "../errors/look.ts";
import type { Cancellation, Clock } from "../transports/transport.ts";

/** setTimeout counts in 31 bits of milliseconds; what lies beyond fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Reason = NonNullable<Cancellation["reason"]>;

/** The end of one call, over all its attempts: one timer for the deadline, one listener on the caller's signal. */
export interface Deadline extends Cancellation {
  /** Ends the call where its time is over by the wall clock: its timer may have slept with a frozen environment. */
  endIfLate(): void;
  /** Ends the watch. The call is over; nothing fires any more. */
  dispose(): void;
}

/** What ends a call early. */
export interface Ends {
  /** Infinity for no deadline. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** When the request it is part of has no more time for it, by the wall clock; undefined where nobody said. */
  readonly endAt?: number | undefined;
  /** The call of which this is one attempt. */
  readonly whole?: Cancellation;
}

/** Begins to watch a call, or one attempt of it. */
export function makeDeadline(clock: Clock, ends: Ends): Deadline {
  return new Watch(clock, ends);
}

class Watch implements Deadline {
  readonly deadlineAt: number;
  reason: Reason | undefined;
  readonly #clock: Clock;
  readonly #leaveSignal: (() => void) | undefined;
  readonly #timer: unknown;
  readonly #leaveWhole: (() => void) | undefined;
  readonly #expire: (() => void) | undefined;
  /** Most calls have one at a time, the others are in the set. */
  #listener: (() => void) | undefined;
  #listeners: Set<() => void> | undefined;
  #controller: AbortController | undefined;

  constructor(clock: Clock, { deadlineMs, signal, endAt = Number.POSITIVE_INFINITY, whole }: Ends) {
    const now = clock.now();
    const limitMs = Math.min(deadlineMs, endAt - now);
    this.deadlineAt = now + limitMs;
    this.#clock = clock;
    if (signal?.aborted) this.reason = abortedBy(signal);
    else if (limitMs <= 0) this.reason = requestEnded(limitMs);
    else {
      if (signal !== undefined) this.#leaveSignal = this.#watch(signal);
      if (limitMs <= LONGEST_TIMER_MS) {
        this.#expire = () => this.#end(limitMs < deadlineMs ? requestEnded(limitMs) : exceeded(limitMs, whole));
        this.#timer = clock.setTimeout(this.#expire, limitMs);
      }
    }
    this.#leaveWhole = whole?.onCancel(() => whole.reason && this.#end(whole.reason));
  }

  onCancel(listener: () => void): () => void {
    if (this.reason !== undefined) listener();
    else if (this.#listener === undefined) this.#listener = listener;
    else {
      this.#listeners ??= new Set();
      this.#listeners.add(listener);
    }
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
      else this.#listeners?.delete(listener);
    };
  }

  signal(): AbortSignal {
    if (this.#controller === undefined) {
      const made = new AbortController();
      this.#controller = made;
      this.onCancel(() => made.abort());
    }
    return this.#controller.signal;
  }

  endIfLate(): void {
    if (this.#clock.now() >= this.deadlineAt) this.#expire?.();
  }

  dispose(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#leaveSignal?.();
    this.#leaveWhole?.();
    this.#listener = undefined;
    this.#listeners = undefined;
  }

  #watch(signal: AbortSignal): () => void {
    const abort = () => this.#end(abortedBy(signal));
    signal.addEventListener("abort", abort);
    return () => signal.removeEventListener("abort", abort);
  }

  #end(why: Reason): void {
    if (this.reason !== undefined) return;
    this.reason = why;
    const others = this.#listeners;
    this.#listener?.();
    for (const listener of others ?? []) listener();
  }
}

/** Its `cause` is the reason the signal was given. */
const abortedBy =
  (signal: AbortSignal): Reason =>
  (fate) =>
    new CancelledError("The call was aborted by its signal.", { code: "ABORTED", fate, cause: look(() => signal.reason, undefined) });

/** The platform ends the request soon, and there has to be time to answer it. */
function requestEnded(leftMs: number): Reason {
  const what =
    leftMs > 0 ? `took over ${Math.round(leftMs)} ms, all that its invocation had left` : "came when its invocation had no time left";
  return (fate) =>
    new CancelledError(`The call ${what}. Raise the function's timeout, or do less at once.`, {
      code: "DEADLINE_EXCEEDED",
      fate,
      retryable: fate !== "unknown",
    });
}

function exceeded(limitMs: number, whole: Cancellation | undefined): Reason {
  const [what, setting, code] = whole ? ["attempt", "attemptTimeoutMs", "ATTEMPT_TIMEOUT"] : ["call", "deadlineMs", "DEADLINE_EXCEEDED"];
  return (fate) => new CancelledError(`The ${what} took over ${limitMs} ms (${setting}).`, { code, fate, retryable: fate !== "unknown" });
}
