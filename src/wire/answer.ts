import { answerTooLarge, decodeFailure } from "../errors/decode-failure.ts";
import type { DecodeError } from "../errors/errors.ts";
import type { Field, Via } from "../transports/transport.ts";
import type { Columns } from "./columns.ts";
import { HEADER_BYTES, int16, int32, isRow } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";

/** What a statement gave, before the way it came is added. */
export interface Answer {
  rows: Record<string, unknown>[];
  rowCount: number | null;
  command: string | null;
  fields: readonly Field[];
  /** Added by whoever knows the way; a place for it from the start keeps the object as it is. */
  via: Via | undefined;
}

/** Reads the answer to one statement after the other, rows straight from their bytes to values. */
export class AnswerReader {
  /** Why a value could not be read; of the first that could not, and nothing is read after it. */
  failure: DecodeError | undefined;
  readonly #maxBytes: number;
  /** Of the rows so far, those of earlier statements among them. */
  #bytes = 0;
  #columns: Columns | undefined;
  #rows: Record<string, unknown>[] = [];

  /** Rows that hold more than `maxBytes` are passed over: how many there are only the server knows. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Rows of these columns follow. */
  describe(columns: Columns): void {
    this.#columns = columns;
    this.failure ??= columns.failure;
  }

  /** A DataRow, from its first byte to its end. False where it is none of this answer. */
  read(bytes: MessageBytes, start: number, end: number): boolean {
    const columns = this.#columns;
    this.#bytes += end - start;
    if (this.#bytes > this.#maxBytes && this.failure === undefined) {
      this.failure = answerTooLarge(this.#maxBytes);
      this.#rows = [];
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
    // a list that grows takes room for more than a dozen
    if (this.#rows.length === 0) this.#rows = [row as Record<string, unknown>];
    else this.#rows.push(row as Record<string, unknown>);
    return at === end;
  }

  /** A DataRow that is not read. False where it is none of this answer. */
  pass(bytes: MessageBytes, start: number, end: number): boolean {
    return isRow(bytes, start, end) && int16(bytes, start + HEADER_BYTES) === this.#columns?.fields.length;
  }

  /** The whole answer; what comes next belongs to the next statement. `tag` is that of CommandComplete, null for an empty statement. */
  complete(tag: string | null): Answer {
    const { command, rowCount } = tag === null ? noTag : readTag(tag);
    const answer: Answer = { rows: this.#rows, rowCount, command, fields: this.#columns?.fields ?? [], via: undefined };
    this.#rows = [];
    this.#columns = undefined;
    return answer;
  }
}

const noTag = { command: null, rowCount: null } as const;

/** The first word of a command tag, and the number it ends with. Read by hand: every answer has one. */
function readTag(tag: string): Pick<Answer, "command" | "rowCount"> {
  const space = tag.indexOf(" ");
  if (space === -1) return { command: tag, rowCount: null };
  return { command: tag.slice(0, space), rowCount: countAt(tag, tag.lastIndexOf(" ") + 1) };
}

/** The number that a text ends with; null where it ends with something else. */
function countAt(text: string, from: number): number | null {
  if (from === text.length) return null;
  let count = 0;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return null;
    count = 10 * count + digit;
  }
  return count;
}
