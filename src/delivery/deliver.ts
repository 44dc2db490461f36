import { CancelledError, type Fate, isWarmlineError, type WarmlineError } from "../errors/errors.ts";
import type { Cancellation, Clock } from "../transports/transport.ts";
import { backoffMs } from "./retry.ts";

/** What delivery is given by the entry: time, chance, and who wants to know of a repetition. */
export interface DeliveryContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** Told before the pause: what failed, in which attempt, and how long the pause is, milliseconds. */
  readonly onRetry: (error: WarmlineError, attempt: number, delayMs: number) => void;
}

/** One call as delivery sees it. */
export interface Delivery {
  readonly cancellation: Cancellation;
  /** Whether a failed attempt may be followed by another; attempts count from 1. */
  readonly mayRepeat: (error: WarmlineError, attempt: number) => boolean;
  /** Called once, however the call ends. */
  readonly onEnd?: () => void;
}

/**
 * Runs `attempt` until it succeeds, its failure may not be repeated, or the call's deadline leaves no room for another. `attempt` gets its
 * number, from 1.
 */
export async function deliver<T>(call: Delivery, attempt: (number: number) => Promise<T>, context: DeliveryContext): Promise<T> {
  const { cancellation } = call;
  let doubtful: WarmlineError | undefined;
  try {
    throwIfOver(cancellation, "not-sent");
    for (let number = 1; ; number++) {
      try {
        return await attempt(number);
      } catch (error) {
        if (!isWarmlineError(error)) throw error;
        if (error.fate === "unknown") doubtful = error;
        const delayMs = backoffMs(number, context.random);
        const over = error instanceof CancelledError || !call.mayRepeat(error, number);
        if (over || context.clock.now() + delayMs >= cancellation.deadlineAt) throw keepDoubt(error, doubtful, cancellation);
        context.onRetry(error, number, delayMs);
        await pause(delayMs, cancellation, context.clock);
        throwIfOver(cancellation, (doubtful ?? error).fate);
      }
    }
  } finally {
    call.onEnd?.();
  }
}

/** What an earlier attempt may have done is not undone by a later one that did nothing. */
function keepDoubt(error: WarmlineError, doubtful: WarmlineError | undefined, { reason }: Cancellation): WarmlineError {
  if (doubtful === undefined || error.fate === "applied") return error;
  return error instanceof CancelledError && reason !== undefined ? reason("unknown") : doubtful;
}

function throwIfOver(cancellation: Cancellation, fate: Fate): void {
  if (cancellation.reason !== undefined) throw cancellation.reason(fate === "applied" ? "unknown" : fate);
}

function pause(ms: number, cancellation: Cancellation, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clock.clearTimeout(timer);
      stopListening();
      resolve();
    };
    const timer = clock.setTimeout(end, ms);
    const stopListening = cancellation.onCancel(() => queueMicrotask(end));
  });
}
