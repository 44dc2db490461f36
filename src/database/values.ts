import { UsageError } from "../errors/errors.ts";

/** Under this key a piece of SQL keeps what it is made of: every copy of the package reads the others'. */
export const sqlParts: unique symbol = Symbol.for("warmline.sql.v1") as never;

/** Text around values: one piece more than there are values. */
export interface SqlParts {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
}

/** Who is at fault: a parameter's number, or a name. */
type Party = number | string;

function refuse(party: Party, code: string, problem: string): UsageError {
  return new UsageError(`${typeof party === "number" ? `Parameter $${party}` : party} ${problem}.`, { code });
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
      throw refuse(parameter, "UNDEFINED_VALUE", "is undefined; send null for NULL");
    default:
      throw refuse(parameter, "UNSUPPORTED_VALUE", `is a ${typeof value}, which has no form in SQL`);
  }
}

/** What `write` gives, unless it is more than the engine's stack or its longest text can hold. */
export function writable<T>(party: Party, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw error instanceof RangeError ? refuse(party, "UNSUPPORTED_VALUE", "is nested too deep, or too long") : error;
  }
}

/** Text as Postgres can hold it. */
export function checkText(text: string, party: Party): string {
  if (text.includes("\0")) throw refuse(party, "NUL_CHARACTER", "holds U+0000; remove it, or send bytea");
  if (!text.isWellFormed()) throw refuse(party, "LONE_SURROGATE", "holds half a surrogate pair; use toWellFormed()");
  return text;
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
  if (isPromise(value)) throw refuse(parameter, "PROMISE_VALUE", "is a promise; await it, or compose with sql`…`");
  if ("toPostgres" in value && typeof value.toPostgres === "function") {
    const own: unknown = value.toPostgres((inner: unknown) => encodeValue(inner, parameter));
    if (own === value) throw circular(parameter);
    return encodeValue(own, parameter);
  }
  if (sqlParts in value) throw refuse(parameter, "UNSUPPORTED_VALUE", "holds sql`…` inside a value; use sql.join");
  return encodeJson(value, parameter);
}

/** JSON text. What JSON itself leaves out or refuses at the top (a function, a bigint, a cycle) is refused. */
export function encodeJson(value: unknown, party: Party): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    // a cycle, a bigint, or a toJSON that throws: only engines' words tell them apart
    if (isCyclic(value)) throw circular(party);
  }
  if (text === undefined) throw refuse(party, "UNSUPPORTED_VALUE", "has no form in JSON; write a bigint as text");
  return checkText(text, party);
}

function isCyclic(value: unknown, outer: readonly unknown[] = []): boolean {
  if (typeof value !== "object" || value === null) return false;
  return outer.includes(value) || Object.values(value).some((inner) => isCyclic(inner, [...outer, value]));
}

function circular(party: Party): UsageError {
  return refuse(party, "CIRCULAR_VALUE", "contains itself");
}

function encodeArray(items: readonly unknown[], parameter: number, outer: (readonly unknown[])[] = []): string {
  if (outer.includes(items)) throw circular(parameter);
  outer.push(items);
  const encoded = Array.from(items, (item) => {
    if (item === null || item === undefined) return "NULL";
    if (Array.isArray(item)) return encodeArray(item, parameter, outer);
    const text = encodeValue(item, parameter);
    return text === null ? "NULL" : `"${text.replace(/[\\"]/g, "\\$&")}"`;
  });
  outer.pop();
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
  if (Number.isNaN(date.getTime())) throw refuse(parameter, "INVALID_DATE", "is an invalid Date");
  const pad = (number: number, width = 2) => String(number).padStart(width, "0");
  const year = date.getFullYear();
  const offset = -date.getTimezoneOffset();
  const distance = Math.abs(offset);
  const day = `${pad(year < 1 ? 1 - year : year, 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(distance / 60))}:${pad(distance % 60)}`;
  return `${day}T${time}.${pad(date.getMilliseconds(), 3)}${zone}${year < 1 ? " BC" : ""}`;
}
