import { CancelledError } from "../errors/errors.ts";
import type { Cancellation, Clock } from "../transports/transport.ts";

/** setTimeout counts in 31 bits of milliseconds; what lies beyond fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Reason = NonNullable<Cancellation["reason"]>;

/** The end of one call, over all its attempts: one timer for the deadline, one listener on the caller's signal. */
export interface Deadline extends Cancellation {
  /** Ends the watch. The call is over; nothing fires any more. */
  dispose(): void;
}

/** What ends a call early. */
interface Ends {
  /** Infinity for no deadline. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The call of which this is one attempt. */
  readonly whole?: Cancellation;
}

/** Begins to watch a call, or one attempt of it. */
export function makeDeadline(clock: Clock, { deadlineMs, signal, whole }: Ends): Deadline {
  let reason: Reason | undefined = signal?.aborted ? aborted : undefined;
  let listeners: Set<() => void> | undefined;
  let controller: AbortController | undefined;
  let timer: unknown;

  function end(why: Reason): void {
    if (reason !== undefined) return;
    reason = why;
    for (const listener of listeners ?? []) listener();
  }

  function onCancel(listener: () => void): () => void {
    if (reason === undefined) {
      listeners ??= new Set();
      listeners.add(listener);
    } else listener();
    return () => listeners?.delete(listener);
  }

  const abort = () => end(aborted);
  if (reason === undefined) {
    signal?.addEventListener("abort", abort);
    if (deadlineMs <= LONGEST_TIMER_MS) timer = clock.setTimeout(() => end(exceeded(deadlineMs, whole)), deadlineMs);
  }
  const leaveWhole = whole?.onCancel(() => whole.reason && end(whole.reason));
  return {
    deadlineAt: clock.now() + deadlineMs,
    get reason() {
      return reason;
    },
    onCancel,
    signal() {
      if (controller === undefined) {
        const made = new AbortController();
        controller = made;
        onCancel(() => made.abort());
      }
      return controller.signal;
    },
    dispose() {
      if (timer !== undefined) clock.clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      leaveWhole?.();
      listeners = undefined;
    },
  };
}

const aborted: Reason = (fate) => new CancelledError("The call was aborted by its signal.", { code: "ABORTED", fate });

function exceeded(limitMs: number, whole: Cancellation | undefined): Reason {
  const [what, setting, code] = whole ? ["attempt", "attemptTimeoutMs", "ATTEMPT_TIMEOUT"] : ["call", "deadlineMs", "DEADLINE_EXCEEDED"];
  return (fate) => new CancelledError(`The ${what} took over ${limitMs} ms (${setting}).`, { code, fate, retryable: fate !== "unknown" });
}
