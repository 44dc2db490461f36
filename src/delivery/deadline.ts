import { CancelledError } from "../errors/errors.ts";
import type { Cancellation, Clock } from "../transports/transport.ts";

/** setTimeout counts in 31 bits of milliseconds; what lies beyond fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Reason = NonNullable<Cancellation["reason"]>;

/**
 * The end of one call, over all its attempts: one timer for the deadline, one listener on the caller's signal. `dispose` takes both off.
 */
export class Deadline implements Cancellation {
  readonly deadlineAt: number;
  reason: Reason | undefined;
  readonly #clock: Clock;
  readonly #timer: unknown;
  readonly #signal: AbortSignal | undefined;
  #listeners: Set<() => void> | undefined;
  #controller: AbortController | undefined;

  constructor(clock: Clock, { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined }) {
    this.#clock = clock;
    this.#signal = signal;
    this.deadlineAt = clock.now() + deadlineMs;
    if (signal?.aborted) {
      this.reason = aborted;
      return;
    }
    signal?.addEventListener("abort", this);
    if (deadlineMs <= LONGEST_TIMER_MS) this.#timer = clock.setTimeout(() => this.#end(exceeded(deadlineMs)), deadlineMs);
  }

  /** The caller's signal was aborted. */
  handleEvent(): void {
    this.#end(aborted);
  }

  onCancel(listener: () => void): () => void {
    if (this.reason === undefined) {
      this.#listeners ??= new Set();
      this.#listeners.add(listener);
    } else listener();
    return () => this.#listeners?.delete(listener);
  }

  signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      this.onCancel(() => controller.abort());
    }
    return this.#controller.signal;
  }

  /** Ends the watch. The call is over; nothing fires any more. */
  dispose(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this);
    this.#listeners = undefined;
  }

  #end(reason: Reason): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    for (const listener of this.#listeners ?? []) listener();
  }
}

const aborted: Reason = (fate) => new CancelledError("The call was aborted by its signal.", { code: "ABORTED", fate });

function exceeded(deadlineMs: number): Reason {
  return (fate) =>
    new CancelledError(`The call did not end within its deadline of ${deadlineMs} ms.`, {
      code: "DEADLINE_EXCEEDED",
      fate,
      retryable: fate !== "unknown",
    });
}
