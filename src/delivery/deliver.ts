import { showCaller } from "../errors/caller.ts";
import { CancelledError, type Fate, isWarmlineError, type WarmlineError } from "../errors/errors.ts";
import type { Cancellation, Clock } from "../transports/transport.ts";
import type { Breaker } from "./breaker.ts";
import type { RetryBudget } from "./budget.ts";
import { isOutage } from "./outage.ts";
import type { OwnWork } from "./own-work.ts";
import { backoffMs } from "./retry.ts";

/** What all calls of a database share: time, chance, what keeps them from a dead server, and who wants to know of a repetition. */
export interface DeliveryContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly breaker: Breaker;
  readonly budget: RetryBudget;
  /** Told before the pause: what failed, in which attempt, and how long the pause is, milliseconds. */
  readonly onRetry: (error: WarmlineError, attempt: number, delayMs: number) => void;
}

/** One call as delivery sees it. */
export interface Delivery {
  readonly cancellation: Cancellation;
  /** Whether a failed attempt may be followed by another; attempts count from 1. */
  readonly mayRepeat: (error: WarmlineError, attempt: number) => boolean;
  /** What the last attempt learned of its own, once a callback has begun in it; otherwise all errors are its own. */
  readonly own?: (() => OwnWork | undefined) | undefined;
  /** Called once, however the call ends. */
  readonly onEnd?: () => void;
}

/**
 * Runs `attempt` until it succeeds, its failure may not be repeated, or nothing leaves room for another: the call's deadline, the budget, a
 * breaker that has opened. `attempt` gets its number, from 1.
 * @throws ConnectionError CIRCUIT_OPEN without an attempt, while the breaker is open
 */
export async function deliver<T>(call: Delivery, attempt: (number: number) => Promise<T>, context: DeliveryContext): Promise<T> {
  const { cancellation } = call;
  const { clock, breaker, budget } = context;
  let doubtful: WarmlineError | undefined;
  try {
    throwIfOver(cancellation, "not-sent");
    breaker.pass(clock.now);
    for (let number = 1; ; number++) {
      try {
        const value = await attempt(number);
        breaker.succeed();
        budget.earn(number);
        return value;
      } catch (error) {
        const within = call.own?.();
        if (isWarmlineError(error)) showCaller(error, deliver);
        if (!isWarmlineError(error) || within?.errors.has(error) === false) {
          if (within?.answered) breaker.succeed();
          throw error;
        }
        if (isOutage(error)) breaker.fail(error.code, clock.now());
        // the server's own answer: it can be reached
        else if ("sqlState" in error) breaker.succeed();
        if (error.fate === "unknown") doubtful = error;
        const end = keepDoubt(error, doubtful, cancellation);
        const delayMs = backoffMs(number, context.random);
        const over = (error instanceof CancelledError && error.code !== "ATTEMPT_TIMEOUT") || !call.mayRepeat(error, number);
        if (over || breaker.state !== "closed" || clock.now() + delayMs >= cancellation.deadlineAt || !budget.take()) throw end;
        context.onRetry(error, number, delayMs);
        await pause(delayMs, cancellation, clock);
        throwIfOver(cancellation, (doubtful ?? error).fate);
        // opened by other calls meanwhile
        if (breaker.state !== "closed") throw end;
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
