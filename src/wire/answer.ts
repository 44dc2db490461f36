import { answerTooLarge, decodeFailure } from "../errors/decode-failure.ts";
import type { DecodeError } from "../errors/errors.ts";
import type { Field } from "../transports/transport.ts";
import type { Columns } from "./columns.ts";
import { HEADER_BYTES, int16, int32, isRow } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";

/** What a statement gave, before the way it came is added. */
export interface Answer {
  rows: Record<string, unknown>[];
  rowCount: number | null;
  command: string | null;
  fields: readonly Field[];
}

/** Reads the answer to one statement after the other, rows straight from their bytes to values. */
export class AnswerReader {
  /** Why a value could not be read; of the first that could not, and nothing is read after it. */
  failure: DecodeError | undefined;
  readonly #maxBytes: number;
  readonly #onTooLarge: (() => void) | undefined;
  /** Of the rows so far, those of earlier statements among them. */
  #bytes = 0;
  #columns: Columns | undefined;
  #open: Answer = emptyAnswer();

  /** Rows that hold more than `maxBytes` are passed over: how many there are only the server knows. */
  constructor(maxBytes: number, onTooLarge?: () => void) {
    this.#maxBytes = maxBytes;
    this.#onTooLarge = onTooLarge;
  }

  /** Rows of these columns follow. */
  describe(columns: Columns): void {
    this.#columns = columns;
    this.#open.fields = columns.fields;
    this.failure ??= columns.failure;
  }

  /** A DataRow, from its first byte to its end. False where it is none of this answer. */
  read(bytes: MessageBytes, start: number, end: number): boolean {
    const columns = this.#columns;
    this.#bytes += end - start;
    if (this.#bytes > this.#maxBytes && this.failure === undefined) {
      this.failure = answerTooLarge(this.#maxBytes);
      this.#open.rows = [];
      this.#onTooLarge?.();
    }
    if (columns === undefined || this.failure !== undefined) return this.pass(bytes, start, end);
    const { keys, parsers } = columns;
    const width = keys.length;
    let at = start + HEADER_BYTES + 2;
    if (at > end || int16(bytes, start + HEADER_BYTES) !== width) return false;
    const row = (columns.options.rowMode === "array" ? [] : { ...columns.emptyRow }) as Record<string | number, unknown>;
    let column = 0;
    try {
      for (; column < width; column++) {
        if (at + 4 > end) return false;
        const length = int32(bytes, at);
        at += 4;
        if (length === -1) {
          row[keys[column] as string] = null;
          continue;
        }
        if (length < 0 || at + length > end) return false;
        row[keys[column] as string] = (parsers[column] as (text: string) => unknown)(bytes.toString("utf8", at, at + length));
        at += length;
      }
    } catch (thrown) {
      this.failure = decodeFailure(thrown, columns.fields, column);
      return this.pass(bytes, start, end);
    }
    this.#open.rows.push(row as Record<string, unknown>);
    return at === end;
  }

  /** A DataRow that is not read. False where it is none of this answer. */
  pass(bytes: MessageBytes, start: number, end: number): boolean {
    return isRow(bytes, start, end) && int16(bytes, start + HEADER_BYTES) === this.#columns?.fields.length;
  }

  /** The whole answer; what comes next belongs to the next statement. `tag` is that of CommandComplete, null for an empty statement. */
  complete(tag: string | null): Answer {
    const answer = this.#open;
    if (tag !== null) Object.assign(answer, readTag(tag));
    this.#open = emptyAnswer();
    this.#columns = undefined;
    return answer;
  }
}

function emptyAnswer(): Answer {
  return { rows: [], rowCount: null, command: null, fields: [] };
}

/** The first word of a command tag, and its last number. */
function readTag(tag: string): Pick<Answer, "command" | "rowCount"> {
  const [, command = null, count] = /^([A-Za-z]+)(?:.* (\d+)$)?/.exec(tag) ?? [];
  return { command, rowCount: count === undefined ? null : Number(count) };
}
