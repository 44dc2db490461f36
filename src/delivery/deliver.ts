import { CancelledError, type Fate, isWarmlineError, type WarmlineError } from "../errors/errors.ts";
import type { Cancellation, Clock } from "../transports/transport.ts";
import { backoffMs } from "./retry.ts";

/** What delivery is given by the entry: time, chance, and who wants to know of a repetition. */
export interface DeliveryContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly onRetry: (error: WarmlineError) => void;
}

/** One call as delivery sees it. */
export interface Delivery {
  readonly cancellation: Cancellation;
  /** Whether a failed attempt may be followed by another; attempts count from 1. */
  readonly mayRepeat: (error: WarmlineError, attempt: number) => boolean;
}

/**
 * Runs `attempt` until it succeeds, its failure may not be repeated, or the call's deadline leaves no room for another. `attempt` gets its
 * number, from 1.
 */
export async function deliver<T>(call: Delivery, attempt: (number: number) => Promise<T>, context: DeliveryContext): Promise<T> {
  for (let number = 1; ; number++) {
    throwIfOver(call.cancellation, "not-sent");
    try {
      return await attempt(number);
    } catch (error) {
      if (!isWarmlineError(error) || error instanceof CancelledError || !call.mayRepeat(error, number)) throw error;
      const delayMs = backoffMs(number, context.random);
      if (context.clock.now() + delayMs >= call.cancellation.deadlineAt) throw error;
      context.onRetry(error);
      await pause(delayMs, call.cancellation, context.clock);
      throwIfOver(call.cancellation, error.fate);
    }
  }
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
