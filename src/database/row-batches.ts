import type { Result } from "../transports/transport.ts";

/** The rows of one statement, batch after batch, for one reader that awaits each. */
export interface RowBatches {
  /** The next, which may be empty; undefined once the last was given and all has ended. Only then is the next one asked for. */
  next(): Promise<Result | undefined>;
  /** Leaves what was not read. */
  leave(): Promise<void>;
  /** Whether the call has ended meanwhile, by its deadline or signal: what was given out is read no further, and the next says why. */
  readonly isEnded: () => boolean;
}

/** What all batches together gave, as a result without rows, once each was counted. */
export class Total {
  result: Result | undefined;
  #rows = 0;

  count(part: Result): void {
    this.#rows += part.rows.length;
    this.result = { ...part, rows: [], rowCount: this.#rows === 0 ? part.rowCount : this.#rows };
  }
}
