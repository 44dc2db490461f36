import type { WarmlineError } from "../errors/errors.ts";
import { endsConnection, isTransactionConflict, TOO_MANY_CONNECTIONS, TOO_MANY_LOGINS } from "../errors/sqlstate.ts";

/** How often one call is tried at most: five, within the deadline. Enough to bridge a moment, too few to storm a dead server. */
const MAX_ATTEMPTS = 5;

/** Failures that seldom pass by being asked again: how often they are tried at most. */
const attemptsByCode: Readonly<Record<string, number>> = {
  // frozen neighbours keep their slots
  [TOO_MANY_CONNECTIONS]: 3,
  // once more, with a fresh password from the caller's function
  "28P01": 2,
  "28000": 2,
  // the pool is full: another turn in the queue only lengthens it
  ACQUIRE_TIMEOUT: 1,
  QUEUE_FULL: 1,
  // it would be as long again
  RESPONSE_TOO_LARGE: 1,
};

/** What the caller said about doing a call twice. */
export interface RepeatClaims {
  readonly readOnly?: boolean | undefined;
  readonly idempotent?: boolean | undefined;
}

/** Whether a failed call may be sent again: by its fate alone, see the table in docs/architecture.md. `attempt` counts from 1. */
export function mayRepeat(error: WarmlineError, { readOnly = false, idempotent = false }: RepeatClaims, attempt: number): boolean {
  if (attempt >= (attemptsByCode[error.code] ?? MAX_ATTEMPTS)) return false;
  switch (error.fate) {
    case "not-sent":
      return error.retryable;
    case "refused":
      return error.code === "ATTEMPT_TIMEOUT" || isTransactionConflict(error.code) || isFarewell(error);
    case "unknown":
      return readOnly || idempotent;
    case "applied":
      return false;
  }
}

/** Whether the server gave the connection up before it had begun. */
function isFarewell(error: WarmlineError): boolean {
  return "severity" in error && endsConnection(error.severity as string | undefined);
}

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 1_000;
/** Room for logins comes back by the second, not by the millisecond. */
const LOGIN_DELAY_MS = 400;

/** Exponential backoff with full jitter, in milliseconds. `random` gives 0 to 1; `code` is what the attempt failed with. */
export function backoffMs(attempt: number, random: () => number, code?: string): number {
  const [first, longest] = code === TOO_MANY_LOGINS ? [LOGIN_DELAY_MS, 4 * LONGEST_DELAY_MS] : [FIRST_DELAY_MS, LONGEST_DELAY_MS];
  return random() * Math.min(longest, first * 2 ** (attempt - 1));
}

/** Whether a transaction's callback may be run again, whole: only what the server or the loss of the connection undid. */
export function mayRunAgain(error: WarmlineError): boolean {
  return error.retryable && (error.fate === "refused" || error.fate === "not-sent");
}
