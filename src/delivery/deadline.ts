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

/** Begins to watch a call that may take `deadlineMs`, Infinity for any time. */
export function makeDeadline(
  clock: Clock,
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
): Deadline {
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
    if (deadlineMs <= LONGEST_TIMER_MS) timer = clock.setTimeout(() => end(exceeded(deadlineMs)), deadlineMs);
  }
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
      listeners = undefined;
    },
  };
}

const aborted: Reason = (fate) => new CancelledError("The call was aborted by its signal.", { code: "ABORTED", fate });

function exceeded(deadlineMs: number): Reason {
  return (fate) =>
    new CancelledError(`The call took over ${deadlineMs} ms (deadlineMs).`, {
      code: "DEADLINE_EXCEEDED",
      fate,
      retryable: fate !== "unknown",
    });
}
