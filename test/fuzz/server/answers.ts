/** One message of the server's, whole. */
export interface Message {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Makes a message; its body may be anything. Source for all of this file: PostgreSQL documentation, "Message Formats". */
export function message(type: string, ...parts: readonly Buffer[]): Message {
  const body = Buffer.concat(parts);
  return { type, bytes: Buffer.concat([Buffer.from(type), int32(body.length + 4), body]) };
}

/** The same message that says another length. */
export function withLength({ type, bytes }: Message, length: number): Message {
  const other = Buffer.from(bytes);
  other.writeUInt32BE(length >>> 0, 1);
  return { type, bytes: other };
}

export function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

export function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

const INT4 = 23;

/** Describes columns of numbers. */
export function rowDescription(names: readonly string[]): Message {
  const columns = names.map((name) => Buffer.concat([text(name), int32(0), int16(0), int32(INT4), int16(4), int32(-1), int16(0)]));
  return message("T", int16(names.length), ...columns);
}

/** A row of numbers. */
export function dataRow(values: readonly (number | null)[]): Message {
  const columns = values.map((value) => {
    if (value === null) return int32(-1);
    const bytes = Buffer.from(String(value));
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return message("D", int16(values.length), ...columns);
}

export const commandComplete = (tag: string): Message => message("C", text(tag));
export const readyForQuery = (status: string): Message => message("Z", Buffer.from(status));

/** An error or a notice of these fields. */
export function report(type: "E" | "N", fields: Readonly<Record<string, string>>): Message {
  const parts = Object.entries(fields).map(([letter, value]) => Buffer.concat([Buffer.from(letter), text(value)]));
  return message(type, ...parts, Buffer.alloc(1));
}

/** The server's refusal, as Postgres says it. */
export function errorResponse(severity: string, code: string): Message {
  return report("E", { S: severity, V: severity, C: code, M: "as the fuzz wants it", R: "fuzz" });
}

/** The answer to one statement that gives one row, from ParseComplete on. */
export function wholeAnswer(value: number): Message[] {
  return [message("1"), message("2"), rowDescription(["n"]), dataRow([value]), commandComplete("SELECT 1")];
}
