import { UsageError } from "../errors/errors.ts";

/** Under this key a piece of SQL keeps what it is made of: every copy of the package reads the others'. */
export const sqlParts: unique symbol = Symbol.for("warmline.sql.v1") as never;

/** Text around values: one piece more than there are values. */
export interface SqlParts {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
}

/**
 * A value in Postgres' text format, the same for every transport; null for NULL. Follows pg's encoder (pg/lib/utils.js), save that bytes
 * leave as bytea's hex text, for HTTP has no other form, and that what cannot be meant is refused instead of sent.
 *
 * @throws UsageError UNDEFINED_VALUE, PROMISE_VALUE, UNSUPPORTED_VALUE, CIRCULAR_VALUE, INVALID_DATE, NUL_CHARACTER, LONE_SURROGATE
 */
export function encodeValue(value: unknown, parameter: number): string | null {
  switch (typeof value) {
    case "string":
      return checkText(value, parameter);
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

/** Text as Postgres can hold it. `what` names the party in the error: a parameter's number, or words. */
export function checkText(text: string, what: number | string): string {
  if (text.includes("\0")) {
    throw new UsageError(
      `${nameOf(what)} holds the character U+0000, which Postgres' text cannot store. Remove it, or send the bytes as bytea.`,
      {
        code: "NUL_CHARACTER",
      },
    );
  }
  if (!text.isWellFormed()) {
    throw new UsageError(
      `${nameOf(what)} holds half of a surrogate pair, which has no form in UTF-8. Repair it with String.prototype.toWellFormed().`,
      {
        code: "LONE_SURROGATE",
      },
    );
  }
  return text;
}

function nameOf(what: number | string): string {
  return typeof what === "number" ? `Parameter $${what}` : what;
}

/** Whether a value is a promise, of whatever make. */
export function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function encodeObject(value: object, parameter: number): string | null {
  if (Array.isArray(value)) return encodeArray(value, parameter);
  if (value instanceof Date) return encodeDate(value, parameter);
  if (ArrayBuffer.isView(value)) return encodeBytes(value);
  if (value instanceof ArrayBuffer) return encodeBytes(new Uint8Array(value));
  if (isPromise(value)) {
    throw new UsageError(`Parameter $${parameter} is a promise. Await it first; to compose statements use sql\`…\`, not db.sql\`…\`.`, {
      code: "PROMISE_VALUE",
    });
  }
  if ("toPostgres" in value && typeof value.toPostgres === "function") {
    const own: unknown = value.toPostgres((inner: unknown) => encodeValue(inner, parameter));
    if (own !== value) return encodeValue(own, parameter);
    throw circular(parameter);
  }
  if (sqlParts in value) {
    throw new UsageError(`Parameter $${parameter} holds sql\`…\` inside a value. Use sql.join for lists of pieces.`, {
      code: "UNSUPPORTED_VALUE",
    });
  }
  return encodeJson(value, parameter);
}

/**
 * JSON text. What JSON itself leaves out or refuses at the top (a function, a bigint, a cycle) is refused. `what` names the party in the
 * error.
 */
export function encodeJson(value: unknown, what: number | string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // a cycle, a bigint, or a toJSON that throws: only engines' words tell them apart
    throw isCyclic(value)
      ? circular(what)
      : new UsageError(`${nameOf(what)} cannot be written as JSON. Convert what JSON does not know, such as a bigint, first.`, {
          code: "UNSUPPORTED_VALUE",
        });
  }
  if (text === undefined)
    throw new UsageError(`${nameOf(what)} has no form in JSON. Send null, or a value JSON knows.`, { code: "UNSUPPORTED_VALUE" });
  return checkText(text, what);
}

function isCyclic(value: unknown, outer: readonly unknown[] = []): boolean {
  if (typeof value !== "object" || value === null) return false;
  return outer.includes(value) || Object.values(value).some((inner) => isCyclic(inner, [...outer, value]));
}

function circular(what: number | string): UsageError {
  return new UsageError(`${nameOf(what)} contains itself. Send a value without cycles.`, { code: "CIRCULAR_VALUE" });
}

function encodeArray(items: readonly unknown[], parameter: number, outer: readonly (readonly unknown[])[] = []): string {
  if (outer.includes(items)) throw circular(parameter);
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
    throw new UsageError(`Parameter $${parameter} is an invalid Date. Send a valid one, or null.`, { code: "INVALID_DATE" });
  }
  const pad = (number: number, width = 2) => String(number).padStart(width, "0");
  const year = date.getFullYear();
  const offset = -date.getTimezoneOffset();
  const distance = Math.abs(offset);
  const day = [pad(year < 1 ? 1 - year : year, 4), pad(date.getMonth() + 1), pad(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part)).join(":");
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(distance / 60))}:${pad(distance % 60)}`;
  return `${day}T${time}.${pad(date.getMilliseconds(), 3)}${zone}${year < 1 ? " BC" : ""}`;
}
