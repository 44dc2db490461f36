import type { Field } from "../transports/transport.ts";
import { HEADER_BYTES, int16, int32, lengthAt } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";

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
