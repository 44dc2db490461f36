import { decodeFailure } from "../errors/decode-failure.ts";
import type { DecodeError } from "../errors/errors.ts";
import type { Field, ParserSet } from "../transports/transport.ts";
import { HEADER_BYTES, int16, int32, lengthAt } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";

/** How rows are read. */
export interface ReadOptions {
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
}

/** The columns of a statement's rows, and how their values are read. */
export class Columns {
  readonly fields: readonly Field[];
  readonly options: ReadOptions;
  /** Rows are copies of it, so that they are fast objects. */
  readonly emptyRow: Record<string, unknown> = {};
  readonly keys: (string | number)[] = [];
  readonly parsers: ((text: string) => unknown)[] = [];
  /** Why there is no reading them. */
  readonly failure: DecodeError | undefined;

  constructor(fields: readonly Field[], options: ReadOptions) {
    this.fields = fields;
    this.options = options;
    const { rowMode, parsers } = options;
    try {
      for (const { name, dataTypeID } of fields) {
        this.keys.push(rowMode === "array" ? this.keys.length : name);
        if (name === "__proto__") Object.defineProperty(this.emptyRow, name, { ...ordinary, value: null });
        else this.emptyRow[name] = null;
        this.parsers.push(parsers.getTypeParser(dataTypeID, "text"));
      }
    } catch (thrown) {
      this.failure = decodeFailure(thrown, fields, this.parsers.length);
    }
  }
}

/** How a property is that was assigned. */
const ordinary = { writable: true, enumerable: true, configurable: true } as const;

/** The columns that a whole RowDescription tells of, from its first byte. Nobody may change them: results of a named statement share them. */
export function readFields(bytes: MessageBytes, start: number): readonly Field[] {
  const fields: Field[] = [];
  const count = int16(bytes, start + HEADER_BYTES);
  let at = start + HEADER_BYTES + 2;
  while (fields.length < count) {
    const zero = bytes.indexOf(0, at);
    fields.push(fieldAt(bytes, zero + 1, bytes.toString("utf8", at, zero)));
    at = zero + 19;
  }
  return Object.freeze(fields);
}

/** What stands behind a column's name. */
function fieldAt(bytes: Uint8Array, at: number, name: string): Field {
  return Object.freeze({
    name,
    tableID: lengthAt(bytes, at),
    columnID: signed16(bytes, at + 4),
    dataTypeID: lengthAt(bytes, at + 6),
    dataTypeSize: signed16(bytes, at + 10),
    dataTypeModifier: int32(bytes, at + 12),
    format: int16(bytes, at + 16) === 0 ? "text" : "binary",
  });
}

function signed16(bytes: Uint8Array, at: number): number {
  return (int16(bytes, at) << 16) >> 16;
}
