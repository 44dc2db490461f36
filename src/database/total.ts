import type { Result } from "../transports/transport.ts";

/** What all batches together gave, as a result without rows, once each was counted. */
export class Total {
  result: Result | undefined;
  #rows = 0;

  count(part: Result): void {
    this.#rows += part.rows.length;
    this.result = { ...part, rows: [], rowCount: this.#rows === 0 ? part.rowCount : this.#rows };
  }
}
