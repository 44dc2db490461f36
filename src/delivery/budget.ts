/**
 * How much repeating one database may do: a repetition costs 5 of 500 tokens, and gives them back when it succeeds; a call that succeeds at
 * once earns 1. So a hundred repetitions bridge a short failure, and a dead server is not stormed.
 * Source of the numbers: AWS SDKs and Tools Reference Guide, "Retry behavior", standard mode.
 */
const CAPACITY = 500;
const COST = 5;
const EARNED = 1;

/** The tokens that are left. */
export interface RetryBudget {
  /** Takes the price of one repetition; false when it cannot be paid. */
  take(): boolean;
  /** A call succeeded in this attempt, counted from 1. */
  earn(attempt: number): void;
}

/** A budget of which nothing is spent. */
export function makeRetryBudget(): RetryBudget {
  let tokens = CAPACITY;
  return {
    take() {
      if (tokens < COST) return false;
      tokens -= COST;
      return true;
    },
    earn(attempt) {
      tokens = Math.min(CAPACITY, tokens + (attempt > 1 ? COST : EARNED));
    },
  };
}
