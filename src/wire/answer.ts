import { decodeFailure } from "../errors/decode-failure.ts";
import type { DecodeError } from "../errors/errors.ts";
import type { Field, ParserSet } from "../transports/transport.ts";
import { HEADER_BYTES, int16, int32, isRow, lengthAt } from "./frames.ts";

/** What a statement gave, before the way it came is added. */
export interface Answer {
  rows: Record<string, unknown>[];
  rowCount: number | null;
  command: string | null;
  fields: readonly Field[];
}

/** How rows are read. */
export interface ReadOptions {
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
}

/** The bytes of a message: a Buffer, of whichever kind the runtime or the driver has. */
export interface MessageBytes extends Uint8Array {
  toString(encoding?: string, start?: number, end?: number): string;
}

/** Reads the answer to one statement after the other, rows straight from their bytes to values. */
export class AnswerReader {
  /** Why a value could not be read; of the first that could not, and nothing is read after it. */
  failure: DecodeError | undefined;
  readonly #options: ReadOptions;
  #width = 0;
  #parsers: ((text: string) => unknown)[] = [];
  #keys: (string | number)[] = [];
  #emptyRow: Record<string, unknown> = {};
  #open: Answer = emptyAnswer();

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  /** A RowDescription, from its first byte. */
  describe(bytes: MessageBytes, start: number): void {
    const { parsers, rowMode } = this.#options;
    const fields: Field[] = [];
    this.#width = int16(bytes, start + HEADER_BYTES);
    let at = start + HEADER_BYTES + 2;
    while (fields.length < this.#width) {
      const zero = bytes.indexOf(0, at);
      fields.push(fieldAt(bytes, zero + 1, bytes.toString("utf8", at, zero)));
      at = zero + 19;
    }
    this.#open.fields = fields;
    this.#parsers = [];
    this.#keys = [];
    this.#emptyRow = {};
    let column = 0;
    try {
      for (const { name, dataTypeID } of fields) {
        this.#keys.push(rowMode === "array" ? column : name);
        // rows are copies of it, so that they are fast objects
        if (name === "__proto__") Object.defineProperty(this.#emptyRow, name, { ...ordinary, value: null });
        else this.#emptyRow[name] = null;
        this.#parsers.push(parsers.getTypeParser(dataTypeID, "text"));
        column++;
      }
    } catch (thrown) {
      this.failure ??= decodeFailure(thrown, fields, column);
    }
  }

  /** A DataRow, from its first byte to its end. False where it is none of this answer. */
  read(bytes: MessageBytes, start: number, end: number): boolean {
    if (this.failure !== undefined) return this.pass(bytes, start, end);
    const width = this.#width;
    if (end < start + HEADER_BYTES + 2 || int16(bytes, start + HEADER_BYTES) !== width) return false;
    const keys = this.#keys;
    const parsers = this.#parsers;
    const row = (this.#options.rowMode === "array" ? [] : { ...this.#emptyRow }) as Record<string | number, unknown>;
    let at = start + HEADER_BYTES + 2;
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
      this.failure = decodeFailure(thrown, this.#open.fields, column);
      return this.pass(bytes, start, end);
    }
    this.#open.rows.push(row as Record<string, unknown>);
    return at === end;
  }

  /** A DataRow that is not read. False where it is none of this answer. */
  pass(bytes: MessageBytes, start: number, end: number): boolean {
    return isRow(bytes, start, end) && int16(bytes, start + HEADER_BYTES) === this.#width;
  }

  /** The whole answer; what comes next belongs to the next statement. `tag` is that of CommandComplete, null for an empty statement. */
  complete(tag: string | null): Answer {
    const answer = this.#open;
    if (tag !== null) Object.assign(answer, readTag(tag));
    this.#open = emptyAnswer();
    this.#width = 0;
    return answer;
  }
}

/** How a property is that was assigned. */
const ordinary = { writable: true, enumerable: true, configurable: true } as const;

function emptyAnswer(): Answer {
  return { rows: [], rowCount: null, command: null, fields: [] };
}

/** The first word of a command tag, and its last number. */
function readTag(tag: string): Pick<Answer, "command" | "rowCount"> {
  const [, command = null, count] = /^([A-Za-z]+)(?:.* (\d+)$)?/.exec(tag) ?? [];
  return { command, rowCount: count === undefined ? null : Number(count) };
}

/** What a RowDescription says of a column behind its name. */
function fieldAt(bytes: Uint8Array, at: number, name: string): Field {
  return {
    name,
    tableID: lengthAt(bytes, at),
    columnID: signed16(bytes, at + 4),
    dataTypeID: lengthAt(bytes, at + 6),
    dataTypeSize: signed16(bytes, at + 10),
    dataTypeModifier: int32(bytes, at + 12),
    format: int16(bytes, at + 16) === 0 ? "text" : "binary",
  };
}

function signed16(bytes: Uint8Array, at: number): number {
  return (int16(bytes, at) << 16) >> 16;
}
