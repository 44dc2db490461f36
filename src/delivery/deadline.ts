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
  #listeners: (() => void)[] | undefined;
  #controller: AbortController | undefined;
  #onAbort: (() => void) | undefined;

  constructor(clock: Clock, limits: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined }) {
    this.#clock = clock;
    this.#signal = limits.signal;
    const { deadlineMs } = limits;
    this.deadlineAt = clock.now() + deadlineMs;
    if (this.#signal?.aborted) {
      this.reason = aborted;
      return;
    }
    if (this.#signal !== undefined) {
      this.#onAbort = () => this.#end(aborted);
      this.#signal.addEventListener("abort", this.#onAbort);
    }
    if (deadlineMs <= LONGEST_TIMER_MS) this.#timer = clock.setTimeout(() => this.#end(exceeded(deadlineMs)), deadlineMs);
  }

  onCancel(listener: () => void): () => void {
    if (this.reason !== undefined) {
      listener();
      return () => {};
    }
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
    return () => {
      const index = this.#listeners?.indexOf(listener) ?? -1;
      if (index >= 0) this.#listeners?.splice(index, 1);
    };
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
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#listeners = undefined;
  }

  #end(reason: Reason): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
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
