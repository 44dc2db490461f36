import { UsageError } from "../errors/errors.ts";

/** Marks pieces of SQL, across copies of the package. */
export const sqlBrand: unique symbol = Symbol.for("warmline.sql") as never;

/**
 * A value in Postgres' text format, the same for every transport; null for NULL. Follows pg's encoder (pg/lib/utils.js), save that bytes
 * leave as bytea's hex text, for HTTP has no other form, and that what cannot be meant is refused instead of sent.
 *
 * @throws UsageError UNDEFINED_VALUE, PROMISE_VALUE, UNSUPPORTED_VALUE, CIRCULAR_VALUE, INVALID_DATE, NUL_CHARACTER, LONE_SURROGATE
 */
export function encodeValue(value: unknown, parameter: number): string | null {
  switch (typeof value) {
    case "string":
      return checkText(value, () => `Parameter $${parameter}`);
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      return value === null ? null : encodeObject(value, parameter);
    case "undefined":
      throw new UsageError(`Parameter $${parameter} is undefined. Send null for NULL.`, { code: "UNDEFINED_VALUE" });
    default:
      throw new UsageError(
        `Parameter $${parameter} is a ${typeof value}, which has no form in SQL. Send a string, number, date, array or plain object.`,
        {
          code: "UNSUPPORTED_VALUE",
        },
      );
  }
}

/** Text as Postgres can hold it. `what` names the party in the error. */
export function checkText(text: string, what: () => string): string {
  if (text.includes("\0")) {
    throw new UsageError(
      `${what()} holds the character U+0000, which Postgres' text cannot store. Remove it, or send the bytes as bytea.`,
      {
        code: "NUL_CHARACTER",
      },
    );
  }
  if (!text.isWellFormed()) {
    throw new UsageError(
      `${what()} holds half of a surrogate pair, which has no form in UTF-8. Repair it with String.prototype.toWellFormed().`,
      {
        code: "LONE_SURROGATE",
      },
    );
  }
  return text;
}

function encodeObject(value: object, parameter: number): string | null {
  if (Array.isArray(value)) return encodeArray(value, parameter);
  if (value instanceof Date) return encodeDate(value, parameter);
  if (ArrayBuffer.isView(value)) return encodeBytes(value);
  if (value instanceof ArrayBuffer) return encodeBytes(new Uint8Array(value));
  if ("then" in value && typeof value.then === "function") {
    throw new UsageError(`Parameter $${parameter} is a promise. Await it first; to compose statements use sql\`…\`, not db.sql\`…\`.`, {
      code: "PROMISE_VALUE",
    });
  }
  if ("toPostgres" in value && typeof value.toPostgres === "function") {
    const own: unknown = value.toPostgres((inner: unknown) => encodeValue(inner, parameter));
    if (own !== value) return encodeValue(own, parameter);
    throw circular(`Parameter $${parameter}`);
  }
  if (sqlBrand in value) {
    throw new UsageError(`Parameter $${parameter} holds sql\`…\` inside a value. Use sql.join for lists of pieces.`, {
      code: "UNSUPPORTED_VALUE",
    });
  }
  return encodeJson(value, `Parameter $${parameter}`);
}

/**
 * JSON text. What JSON itself leaves out or refuses at the top (a function, a bigint, a cycle) is refused. `what` names the party in the
 * error.
 */
export function encodeJson(value: unknown, what: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    throw explainJson(value, what);
  }
  if (text === undefined)
    throw new UsageError(`${what} has no form in JSON. Send null, or a value JSON knows.`, { code: "UNSUPPORTED_VALUE" });
  return checkText(text, () => what);
}

function explainJson(value: unknown, what: string): UsageError {
  const open: unknown[] = [];
  let found: UsageError | undefined;
  try {
    JSON.stringify(value, function (this: unknown, _key, inner: unknown) {
      while (open.length > 0 && open.at(-1) !== this) open.pop();
      if (typeof inner === "object" && open.includes(inner)) found = circular(what);
      open.push(inner);
      return inner;
    });
  } catch {
    // the first attempt told that it throws; only the reason is wanted
  }
  return (
    found ??
    new UsageError(`${what} cannot be written as JSON: it holds a bigint, or its toJSON throws. Convert it first.`, {
      code: "UNSUPPORTED_VALUE",
    })
  );
}

function circular(what: string): UsageError {
  return new UsageError(`${what} contains itself. Send a value without cycles.`, { code: "CIRCULAR_VALUE" });
}

function encodeArray(items: readonly unknown[], parameter: number, outer: readonly (readonly unknown[])[] = []): string {
  if (outer.includes(items)) throw circular(`Parameter $${parameter}`);
  const path = [...outer, items];
  const encoded = Array.from(items, (item) => {
    if (item === null || item === undefined) return "NULL";
    if (Array.isArray(item)) return encodeArray(item, parameter, path);
    const text = encodeValue(item, parameter);
    return text === null ? "NULL" : `"${text.replace(/[\\"]/g, "\\$&")}"`;
  });
  return `{${encoded.join(",")}}`;
}

function encodeBytes(view: ArrayBufferView): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let hex = "\\x";
  for (const byte of bytes) hex += hexPairs[byte];
  return hex;
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Local time with its offset, as pg writes it: right for `timestamptz`, and the local reading for `timestamp` and `date`. */
function encodeDate(date: Date, parameter: number): string {
  if (Number.isNaN(date.getTime())) {
    throw new UsageError(`Parameter $${parameter} is an invalid Date. Check it with Number.isNaN(date.getTime()) before sending.`, {
      code: "INVALID_DATE",
    });
  }
  const pad = (number: number, width: number) => String(number).padStart(width, "0");
  const year = date.getFullYear();
  const offset = -date.getTimezoneOffset();
  const distance = Math.abs(offset);
  return (
    `${pad(year < 1 ? 1 - year : year, 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}` +
    `T${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}` +
    `${offset < 0 ? "-" : "+"}${pad(Math.floor(distance / 60), 2)}:${pad(distance % 60, 2)}${year < 1 ? " BC" : ""}`
  );
}
