import { ConnectionError } from "../errors/errors.ts";
import type { BreakerState } from "../observe/events.ts";

/** So many failures in a row, spread over so many milliseconds, are an outage: fewer, or all at once, are what repeating is there for. */
const THRESHOLD = 5;
const OUTAGE_MS = 250;

/** While it is open, one call in so many milliseconds may try. */
const TRIAL_EVERY_MS = 500;

/** Told of every change, with the time when the next call may try, milliseconds since the epoch; null when it is closed. */
export type OnBreakerChange = (state: BreakerState, until: number | null) => void;

/**
 * Keeps calls from a server that does not answer. Only numbers and words are kept, and it is judged when a call asks: there is no timer that
 * could stand still, and nothing that belongs to a request.
 */
export interface Breaker {
  readonly state: BreakerState;
  /** Lets a call pass, or throws. @throws ConnectionError CIRCUIT_OPEN with the time until one may try */
  pass(now: () => number): void;
  /** The server answered. */
  succeed(): void;
  /** An attempt could not reach the server, or was turned away by a server that has no room. */
  fail(code: string, now: number): void;
}

/** A breaker that is closed. */
export function makeBreaker(onChange: OnBreakerChange): Breaker {
  let state: BreakerState = "closed";
  let failures = 0;
  /** When the first of them came, and the code of the last. */
  let since = 0;
  let lastCode = "";
  let trialAt = 0;

  function turn(next: BreakerState): void {
    state = next;
    onChange(next, next === "closed" ? null : trialAt);
  }

  return {
    get state() {
      return state;
    },
    pass(now) {
      if (state === "closed") return;
      const time = now();
      const retryAfterMs = trialAt - time;
      // longer than any pause: the clock was set back
      if (retryAfterMs > 0 && retryAfterMs <= TRIAL_EVERY_MS) throw circuitOpen(lastCode, retryAfterMs);
      trialAt = time + TRIAL_EVERY_MS;
      turn("half-open");
    },
    succeed() {
      failures = 0;
      if (state !== "closed") turn("closed");
    },
    fail(code, now) {
      lastCode = code;
      if (failures++ === 0) since = now;
      const opens = state === "closed" && failures >= THRESHOLD && Math.abs(now - since) >= OUTAGE_MS;
      if (opens) trialAt = now + TRIAL_EVERY_MS;
      if (opens || state === "half-open") turn("open");
    },
  };
}

function circuitOpen(code: string, retryAfterMs: number): ConnectionError {
  const message = `The last calls failed (${code}). The next may try in ${retryAfterMs} ms.`;
  return Object.assign(new ConnectionError(message, { code: "CIRCUIT_OPEN", fate: "not-sent", retryable: true }), { retryAfterMs });
}
