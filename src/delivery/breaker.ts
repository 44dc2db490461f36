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
export class Breaker {
  state: BreakerState = "closed";
  readonly #onChange: OnBreakerChange;
  #failures = 0;
  /** When the first of them came, and the code of the last. */
  #since = 0;
  #code = "";
  #trialAt = 0;

  constructor(onChange: OnBreakerChange) {
    this.#onChange = onChange;
  }

  /** Lets a call pass, or throws. @throws ConnectionError CIRCUIT_OPEN with the time until one may try */
  pass(now: () => number): void {
    if (this.state === "closed") return;
    const time = now();
    const retryAfterMs = this.#trialAt - time;
    // longer than any pause: the clock was set back
    if (retryAfterMs > 0 && retryAfterMs <= TRIAL_EVERY_MS) throw circuitOpen(this.#code, retryAfterMs);
    this.#trialAt = time + TRIAL_EVERY_MS;
    this.#turn("half-open");
  }

  /** The server answered. */
  succeed(): void {
    this.#failures = 0;
    if (this.state !== "closed") this.#turn("closed");
  }

  /** An attempt could not reach the server, or was turned away by a server that has no room. */
  fail(code: string, now: number): void {
    this.#code = code;
    if (this.#failures++ === 0) this.#since = now;
    const opens = this.state === "closed" && this.#failures >= THRESHOLD && Math.abs(now - this.#since) >= OUTAGE_MS;
    if (opens) this.#trialAt = now + TRIAL_EVERY_MS;
    if (opens || this.state === "half-open") this.#turn("open");
  }

  #turn(state: BreakerState): void {
    this.state = state;
    this.#onChange(state, state === "closed" ? null : this.#trialAt);
  }
}

function circuitOpen(code: string, retryAfterMs: number): ConnectionError {
  const message = `The last calls failed (${code}). The next may try in ${retryAfterMs} ms.`;
  return Object.assign(new ConnectionError(message, { code: "CIRCUIT_OPEN", fate: "not-sent", retryable: true }), { retryAfterMs });
}
