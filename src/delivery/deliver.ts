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
export interface Delivery<T> {
  readonly cancellation: Cancellation;
  /** Tries it; attempts count from 1. */
  attempt(number: number): Promise<T>;
  /** Whether a failed attempt may be followed by another. */
  mayRepeat(error: WarmlineError, attempt: number): boolean;
  /** Makes what came what its caller gets; the call lasts until it is. */
  finish?(value: T): T | Promise<T>;
  /** What the last attempt learned of its own, once a callback has begun in it; otherwise all errors are its own. */
  own?(): OwnWork | undefined;
  /** Called once, however the call ends. */
  onEnd?(): void;
}

/**
 * Tries a call until it succeeds, its failure may not be repeated, or nothing leaves room for another: the call's deadline, the budget, a
 * breaker that has opened. One promise where the first attempt succeeds: each on a query's way costs CPU in every query.
 * @throws ConnectionError CIRCUIT_OPEN without an attempt, while the breaker is open
 */
export function deliver<T>(call: Delivery<T>, context: DeliveryContext): Promise<T> {
  try {
    throwIfOver(call.cancellation, "not-sent");
    context.breaker.pass(context.clock.now);
  } catch (error) {
    call.onEnd?.();
    return Promise.reject(error);
  }
  const failed = (error: unknown) => {
    if (isWarmlineError(error)) showCaller(error, failed);
    return repeat(call, context, error);
  };
  return attemptOf(call, 1).then((value) => {
    context.breaker.succeed();
    context.budget.earn(1);
    return finish(call, value);
  }, failed);
}

/** The end of a call whose first attempt succeeded; at once, where nothing has to be waited for. */
function finish<T>(call: Delivery<T>, value: T): T | Promise<T> {
  let finished: T | Promise<T> = value;
  try {
    if (call.finish) finished = call.finish(value);
  } catch (error) {
    finished = Promise.reject(error);
  }
  if (finished instanceof Promise) return finished.finally(() => call.onEnd?.());
  call.onEnd?.();
  return finished;
}

/** An attempt, whose failure is never thrown at once. */
function attemptOf<T>(call: Delivery<T>, number: number): Promise<T> {
  try {
    return call.attempt(number);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Goes on after the first attempt has failed. */
async function repeat<T>(call: Delivery<T>, context: DeliveryContext, firstError: unknown): Promise<T> {
  const { cancellation } = call;
  const { clock, breaker, budget } = context;
  let doubtful: WarmlineError | undefined;
  let error = firstError;
  try {
    for (let number = 1; ; number++) {
      const within = call.own?.();
      if (!isWarmlineError(error) || within?.errors.has(error) === false) {
        if (within?.answered) breaker.succeed();
        throw error;
      }
      if (isOutage(error)) breaker.fail(error.code, clock.now());
      // the server's own answer: it can be reached
      else if ("sqlState" in error) breaker.succeed();
      if (error.fate === "unknown") doubtful = error;
      const end = keepDoubt(error, doubtful, cancellation);
      const delayMs = backoffMs(number, context.random, error.code);
      const over = (error instanceof CancelledError && error.code !== "ATTEMPT_TIMEOUT") || !call.mayRepeat(error, number);
      if (over || breaker.state !== "closed" || clock.now() + delayMs >= cancellation.deadlineAt || !budget.take()) throw end;
      context.onRetry(error, number, delayMs);
      await pause(delayMs, cancellation, clock);
      throwIfOver(cancellation, (doubtful ?? error).fate);
      // opened by other calls meanwhile
      if (breaker.state !== "closed") throw end;
      try {
        const value = await call.attempt(number + 1);
        breaker.succeed();
        budget.earn(number + 1);
        return call.finish ? await call.finish(value) : value;
      } catch (failure) {
        if (isWarmlineError(failure)) showCaller(failure, repeat);
        error = failure;
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
