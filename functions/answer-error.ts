import { CancelledError, ConnectionError, WarmlineError } from "warmline";
import { Problem } from "./problem.ts";

/** Seconds a caller is asked to wait at least before trying again. */
export const RETRY_AFTER_SECONDS = 1;

/**
 * SQLSTATEs and codes that say "not now": too little of something (class 53, 53300 too many connections among it), a server that shuts down or
 * starts (57P01–57P03), a statement cancelled by its timeout (57014), and a database handle that is closing.
 */
const unavailableCode = /^(53...|57P0[1-3]|57014|CLOSED)$/;

/** The answer to an error: what was meant for the caller as it stands, what passes by itself as 503, and the rest as a 500 that tells nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) {
    return new Problem(
      503,
      "UNAVAILABLE",
      "The database cannot serve this request now. Send it again, an order with the same Idempotency-Key.",
      {
        headers: { "Retry-After": String(retryAfterSeconds(error)) },
      },
    );
  }
  return new Problem(500, "INTERNAL", "The server failed to answer this request.");
}

/** When to come back: once the circuit breaker lets a call try again, and in any case not at once. */
function retryAfterSeconds(error: unknown): number {
  const { retryAfterMs = 0 } = error instanceof ConnectionError ? error : {};
  return Math.max(RETRY_AFTER_SECONDS, Math.ceil(retryAfterMs / 1_000));
}

/** Whether the same request can succeed later without a change. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof WarmlineError)) return false;
  return error instanceof ConnectionError || error instanceof CancelledError || error.retryable || unavailableCode.test(error.code);
}
