import { pointing, pointingError } from "../errors/direct-caller.ts";
import { UsageError } from "../errors/errors.ts";
import { unsupported } from "./refuse-value.ts";
import type { RowBatches } from "./row-batches.ts";
import type { Row } from "./sql.ts";

/**
 * The rows of one statement as they come, to be read once, in one of three ways. Nothing is sent before the first is asked for, and no batch
 * before the one before it was taken. What ends the reading early (`break`, `return`, an error of the loop's own) ends the statement.
 */
export interface RowStream<R = Row> extends AsyncIterable<R> {
  /** Row by row. @throws UsageError STREAM_USED */
  [Symbol.asyncIterator](): AsyncIterator<R, undefined>;
  /** Batch by batch: arrays of at most `batchSize` rows, none of them empty. @throws UsageError STREAM_USED */
  batches(): AsyncIterator<R[], undefined> & AsyncIterable<R[]>;
  /**
   * A Web stream of NDJSON, each row as JSON and a line feed, in UTF-8: a response's body. It asks for a batch when its reader asks for bytes. An
   * error ends it as one, so that a body that was cut off is seen to be. A row that is no JSON (a bigint) is UNSUPPORTED_VALUE.
   * @throws UsageError STREAM_USED
   */
  toReadable(): ReadableStream<ReturnType<InstanceType<typeof TextEncoder>["encode"]>>;
}

/** A stream over batches. */
export function rowStream<R>(source: RowBatches): RowStream<R> {
  let used = false;
  const use = () => {
    if (used) throw new UsageError("This stream was read before. Send the statement again.", { code: "STREAM_USED" });
    used = true;
  };
  const batches = () => {
    use();
    return batchesOf<R>(source);
  };
  return {
    [Symbol.asyncIterator]() {
      use();
      return new RowIterator<R>(source);
    },
    batches: () => pointing(batches()),
    toReadable: () => bytesOf(batches()),
  };
}

async function* batchesOf<R>(source: RowBatches): AsyncGenerator<R[], undefined> {
  try {
    for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
      if (batch.rows.length > 0) yield batch.rows as R[];
    }
    return undefined;
  } finally {
    await source.leave();
  }
}

/** By hand: a generator takes three promises for each row. */
class RowIterator<R> implements AsyncIterator<R, undefined> {
  readonly #source: RowBatches;
  #rows: R[] = [];
  #at = 0;
  #coming: Promise<boolean> | undefined;
  #isOver = false;

  constructor(source: RowBatches) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#at < this.#rows.length) {
      if (!this.#source.isEnded()) return Promise.resolve({ value: this.#rows[this.#at++] as R, done: false });
      this.#rows = [];
    }
    return this.#nextBatch();
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    this.#isOver = true;
    this.#rows = [];
    await this.#source.leave();
    return { value: undefined, done: true };
  }

  async #nextBatch(): Promise<IteratorResult<R, undefined>> {
    while (this.#at >= this.#rows.length) {
      // whoever asks before it has come waits for the same one
      this.#coming ??= this.#fetch();
      if (!(await this.#coming)) return { value: undefined, done: true };
    }
    return { value: this.#rows[this.#at++] as R, done: false };
  }

  async #fetch(): Promise<boolean> {
    if (this.#isOver) return false;
    this.#rows = [];
    this.#at = 0;
    try {
      const batch = await this.#source.next();
      if (batch === undefined) this.#isOver = true;
      else if (!this.#isOver) this.#rows = batch.rows as R[];
    } catch (error) {
      this.#isOver = true;
      throw pointingError(error, this.#fetch);
    } finally {
      this.#coming = undefined;
    }
    return !this.#isOver;
  }
}

const encoder = new TextEncoder();

function bytesOf(batches: AsyncIterator<unknown[], undefined>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const { value, done } = await batches.next();
        if (done) return controller.close();
        try {
          controller.enqueue(encoder.encode(linesOf(value)));
        } catch (error) {
          await batches.return?.();
          throw error;
        }
      },
      async cancel() {
        await batches.return?.();
      },
    },
    // the reader's own pace: nothing is kept ready
    { highWaterMark: 0 },
  );
}

function linesOf(rows: readonly unknown[]): string {
  try {
    let lines = "";
    for (const row of rows) lines += `${JSON.stringify(row)}\n`;
    return lines;
  } catch {
    throw unsupported("A row", "has no form in JSON; read the rows, and write it as text");
  }
}
