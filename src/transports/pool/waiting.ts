import type { OpeningTime } from "./opening-time.ts";

/** Somebody has been waiting for so long without a pause that it is told, milliseconds: a pool that is large enough empties its queue sooner. */
const LONG_MS = 1_000;

/** Who is told of a queue that does not become empty. */
export interface WaitingWatchOptions {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Of the connections that are waited for. */
  readonly opening: Pick<OpeningTime, "runs" | "total">;
  /** Called once until nobody waits any more. */
  readonly report: (waiting: number, forMs: number) => void;
}

/**
 * Notices a queue that does not become empty, by the wall clock alone. To be told whenever the queue may have changed. The time in which a
 * connection is being opened does not count: who waits then waits for that, and a larger pool would have to open it as well.
 */
export class WaitingWatch {
  readonly #options: WaitingWatchOptions;
  #since: { readonly at: number; readonly openingMs: number } | undefined;
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
    const { opening, report } = this.#options;
    if (this.#told || opening.runs) return;
    const now = this.#options.now();
    this.#since ??= { at: now, openingMs: opening.total };
    const forMs = Math.round(now - this.#since.at - (opening.total - this.#since.openingMs));
    if (forMs < LONG_MS) return;
    this.#told = true;
    report(waiting, forMs);
  }
}
