import { tagOf } from "./data.ts";
import { encodeDate } from "./date-value.ts";
import { encodeJson } from "./json.ts";
import { checkText, circular, isPromise, refuse, refusePromise, sqlInside, undefinedItem, unsupported } from "./refuse-value.ts";
import { isSql, soleValue, sqlParts } from "./sql-parts.ts";

/**
 * A value in Postgres' text format, the same for every transport; null for NULL. Follows pg's encoder (pg/lib/utils.js), save that bytes
 * leave as bytea's hex text, for HTTP has no other form, and that only what has a form in SQL leaves: text, numbers, booleans, dates, bytes,
 * arrays of these, what has a toPostgres, and data as JSON. The rest is refused instead of sent as something else.
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
      throw unsupported(parameter, `is a ${typeof value}, which has no form in SQL`);
  }
}

function encodeObject(value: object, parameter: number): string | null {
  if (Array.isArray(value)) return checkText(encodeArray(value, parameter, []), parameter);
  if (ArrayBuffer.isView(value)) return encodeBytes(value, parameter);
  const tag = tagOf(value);
  if (tag === "[object Date]" || value instanceof Date) return encodeDate(value as Date, parameter);
  if (tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]") return encodeBuffer(value as ArrayBufferLike, parameter);
  if (isPromise(value)) throw refusePromise(parameter, value, "is a promise; await it, or compose with sql`…`");
  if ("toPostgres" in value && typeof value.toPostgres === "function") {
    const own: unknown = value.toPostgres((inner: unknown) => encodeValue(inner, parameter));
    if (own === value) throw circular(parameter);
    return encodeValue(own, parameter);
  }
  if (isSql(value)) {
    const sole = soleValue(value[sqlParts]);
    if (sole) return encodeValue(sole[0], parameter);
    throw sqlInside(parameter);
  }
  return encodeJson(value, parameter);
}

/** An array of Postgres has no more dimensions. Source: PostgreSQL's MAXDIM. */
const MAX_DIMENSIONS = 6;

function encodeArray(items: readonly unknown[], parameter: number, outer: readonly (readonly unknown[])[]): string {
  if (outer.includes(items)) throw circular(parameter);
  if (outer.length === MAX_DIMENSIONS) {
    throw unsupported(parameter, `has more than ${MAX_DIMENSIONS} dimensions; use sql.json`);
  }
  const inner = [...outer, items];
  const encoded: string[] = [];
  // by hand: arrays carry thousands of rows in one statement
  for (let index = 0; index < items.length; index++) encoded.push(encodeItem(items[index], parameter, inner));
  return `{${encoded.join(",")}}`;
}

/** An item of an array, in quotes unless that is never needed. Text is checked with the whole array. */
function encodeItem(item: unknown, parameter: number, outer: readonly (readonly unknown[])[]): string {
  if (typeof item === "string") return quote(item);
  if (typeof item === "number" || typeof item === "boolean" || typeof item === "bigint") return String(item);
  if (item === null) return "NULL";
  if (item === undefined) throw undefinedItem(parameter);
  if (Array.isArray(item)) return encodeArray(item, parameter, outer);
  const text = encodeValue(item, parameter);
  return text === null ? "NULL" : quote(text);
}

function quote(text: string): string {
  const isPlain = !text.includes('"') && !text.includes("\\");
  return `"${isPlain ? text : text.replace(/[\\"]/g, "\\$&")}"`;
}

function encodeBuffer(buffer: ArrayBufferLike, parameter: number): string {
  return encodeBytes({ buffer, byteOffset: 0, byteLength: buffer.byteLength }, parameter);
}

function encodeBytes({ buffer, byteOffset, byteLength }: ArrayBufferView, parameter: number): string {
  let bytes: Uint8Array | undefined;
  try {
    bytes = new Uint8Array(buffer, byteOffset, byteLength);
  } catch {}
  // what only has the form of a buffer is read as no bytes
  if (bytes?.buffer !== buffer) throw unsupported(parameter, "is a buffer without bytes: transferred, or none");
  let hex = "\\x";
  for (const byte of bytes) hex += hexPairs[byte];
  return hex;
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
