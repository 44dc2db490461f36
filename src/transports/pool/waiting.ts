/** Somebody has been waiting for so long without a pause that it is told, milliseconds: a pool that is large enough empties its queue sooner. */
const LONG_MS = 1_000;

/** Who is told of a queue that does not become empty. */
export interface WaitingWatchOptions {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** For how long connections have been on their way so far, milliseconds: who waits meanwhile waits for that. */
  readonly openingMs: () => number;
  /** Called once until nobody waits any more. */
  readonly report: (waiting: number, forMs: number) => void;
}

/** Notices a queue of calls that wait for others and does not become empty, by the wall clock. To be told whenever the queue may have changed. */
export class WaitingWatch {
  readonly #options: WaitingWatchOptions;
  #since: number | undefined;
  #openingBefore = 0;
  #told = false;

  constructor(options: WaitingWatchOptions) {
    this.#options = options;
  }

  note(waiting: number): void {
    if (waiting === 0) {
      this.#since = undefined;
      this.#told = false;
      return;
    }
    if (this.#told) return;
    const now = this.#options.now();
    const openingMs = this.#options.openingMs();
    if (this.#since === undefined) {
      this.#since = now;
      this.#openingBefore = openingMs;
    }
    const forMs = Math.round(now - this.#since - (openingMs - this.#openingBefore));
    if (forMs < LONG_MS) return;
    this.#told = true;
    this.#options.report(waiting, forMs);
  }
}
