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
  via?: Via | undefined;
}

/** How answers are made. */
export interface AnswerForm {
  empty(): Answer;
  /** Rows of these columns follow. */
  describe(answer: Answer, columns: Columns): void;
  /** The command tag of an answer that is complete. */
  complete(answer: Answer, tag: string): void;
  /** What a parser threw, where whoever asks wants it as it is. */
  unreadable?(thrown: unknown): void;
}

const noFields: readonly Field[] = Object.freeze([]);

/** This package's own. */
const ownForm: AnswerForm = {
  empty: () => ({ rows: [], rowCount: null, command: null, fields: noFields, via: undefined }),
  describe(answer, { fields }) {
    answer.fields = fields;
  },
  complete: readTag,
};

/** Reads the answer to one statement after the other, rows straight from their bytes to values. */
export class AnswerReader {
  /** Why a value could not be read; of the first that could not, and nothing is read after it. */
  failure: DecodeError | undefined;
  readonly #maxBytes: number;
  readonly #form: AnswerForm;
  readonly #onTooLarge: (() => void) | undefined;
  /** Of the rows so far, those of earlier statements among them. */
  #bytes = 0;
  #columns: Columns | undefined;
  /** The answer that is being read; none before its first message. */
  #open: Answer | undefined;

  /** Rows that hold more than `maxBytes` are passed over: how many there are only the server knows. */
  constructor(maxBytes: number, form: AnswerForm = ownForm, onTooLarge?: () => void) {
    this.#maxBytes = maxBytes;
    this.#form = form;
    this.#onTooLarge = onTooLarge;
  }

  /** Rows of these columns follow. */
  describe(columns: Columns): void {
    this.#columns = columns;
    this.#open = this.#form.empty();
    this.#form.describe(this.#open, columns);
    this.failure ??= columns.failure;
  }

  /** A DataRow, from its first byte to its end. False where it is none of this answer. */
  read(bytes: MessageBytes, start: number, end: number): boolean {
    const columns = this.#columns;
    const open = this.#open;
    this.#bytes += end - start;
    if (this.#bytes > this.#maxBytes && this.failure === undefined) {
      this.failure = answerTooLarge(this.#maxBytes);
      if (open !== undefined) open.rows = [];
      this.#onTooLarge?.();
    }
    if (columns === undefined || open === undefined || this.failure !== undefined) return this.pass(bytes, start, end);
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
      this.#form.unreadable?.(thrown);
      return this.pass(bytes, start, end);
    }
    // a list that grows takes room for more than a dozen
    if (open.rows.length === 0) open.rows = [row as Record<string, unknown>];
    else open.rows.push(row as Record<string, unknown>);
    return at === end;
  }

  /** A DataRow that is not read. False where it is none of this answer. */
  pass(bytes: MessageBytes, start: number, end: number): boolean {
    return isRow(bytes, start, end) && int16(bytes, start + HEADER_BYTES) === this.#columns?.fields.length;
  }

  /** The whole answer; what comes next belongs to the next statement. `tag` is that of CommandComplete, null for an empty statement. */
  complete(tag: string | null): Answer {
    const answer = this.#open ?? this.#form.empty();
    if (tag !== null) this.#form.complete(answer, tag);
    this.#open = undefined;
    this.#columns = undefined;
    return answer;
  }
}

/** Sets the first word of a command tag, and the number it ends with. Read by hand: every answer has one. */
function readTag(answer: Answer, tag: string): void {
  const space = tag.indexOf(" ");
  answer.command = space === -1 ? tag : tag.slice(0, space);
  if (space !== -1) answer.rowCount = countAt(tag, tag.lastIndexOf(" ") + 1);
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
