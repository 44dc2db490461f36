import { otherStyle, Unreadable } from "../errors/decode-failure.ts";
import type { ParserSet } from "../transports/transport.ts";
import { DATE, quickDate, TIMESTAMP, TIMESTAMPTZ } from "./quick-date.ts";

/** A parser of text, as pg-types has it. */
export type Parse = (text: string) => unknown;

const INTERVAL = 1186;
const TEXT_ARRAY = 1009;

/** Arrays of these, by their own id. */
const arrays: Readonly<Record<number, number>> = { 1182: DATE, 1115: TIMESTAMP, 1185: TIMESTAMPTZ, 1187: INTERVAL };

/**
 * The driver's parser of a type, made safe: pg-types reads a date that is not written in ISO form as null, and an interval of another style
 * as an empty one, and the styles are a matter of the role's and the database's settings. Here both are refused, and so is a date that
 * no Date holds.
 */
export function timeParser(typeId: number, common: ParserSet): Parse {
  const itemId = arrays[typeId];
  if (itemId !== undefined) {
    const item = timeParser(itemId, common);
    const items = common.getTypeParser(TEXT_ARRAY, "text");
    return (text) => eachOf(items(text), item);
  }
  const parse = common.getTypeParser(typeId, "text");
  if (typeId === INTERVAL) return (text) => checkInterval(text, parse(text));
  if (typeId === DATE || typeId === TIMESTAMP || typeId === TIMESTAMPTZ) {
    const quick = quickDate(typeId, common);
    return (text) => quick?.(text) ?? checkDate(text, typeId, parse);
  }
  return parse;
}

function eachOf(items: unknown, item: Parse): unknown {
  if (Array.isArray(items)) return items.map((inner) => eachOf(inner, item));
  return items === null ? null : item(items as string);
}

function checkDate(text: string, typeId: number, parse: Parse): unknown {
  const value = parse(text);
  if (value === null) throw otherStyle("DateStyle", "ISO, DMY", OR_ELSE);
  if (!(value instanceof Date)) return value;
  if (text.startsWith("00")) return readEarly(text, typeId, parse);
  if (!Number.isNaN(value.getTime())) return value;
  throw new Unreadable("it is later than a Date can be. Give its type a parser in the setting types.");
}

/**
 * A date of the years from 99 BC to 99, which pg-types makes of one in the twentieth century, with other leap years and clocks: here of one
 * in the twenty-first, and in UTC, for 2000 years are five whole turns of the calendar.
 */
function readEarly(text: string, typeId: number, parse: Parse): Date {
  const early = text.endsWith(" BC");
  const year = Number(text.slice(0, 4));
  const rest = text.slice(4, early ? -3 : undefined);
  const inUtc = typeId === TIMESTAMPTZ ? rest : `${rest}${typeId === DATE ? " 00:00:00" : ""}+00`;
  const later = parse(`${2000 + (early ? 1 - year : year)}${inUtc}`) as Date;
  const date = new Date(later.getTime() - TWO_THOUSAND_YEARS_MS);
  if (typeId === TIMESTAMPTZ) return date;
  const local = new Date(2000, 0);
  local.setFullYear(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  local.setHours(date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds());
  return local;
}

const TWO_THOUSAND_YEARS_MS = 5 * 146_097 * 86_400_000;

const OR_ELSE = "; or give its type a parser in the setting types";

/** An interval as IntervalStyle `postgres` writes it; where `sql_standard` writes the same, it means the same. */
const INTERVAL_TEXT = /^(?=.)(?:[+-]?\d+ years? ?)?(?:[+-]?\d+ mons? ?)?(?:[+-]?\d+ days? ?)?(?:[+-]?\d+:\d\d:\d\d(?:\.\d{1,6})?)?$/;

function checkInterval(text: string, value: unknown): unknown {
  // what a parser of somebody's own made of it is no PostgresInterval
  if (typeof value !== "object" || value === null || !("toPostgres" in value)) return value;
  if (INTERVAL_TEXT.test(text)) return value;
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  if (text === "-infinity") return Number.NEGATIVE_INFINITY;
  throw otherStyle("IntervalStyle", "postgres", OR_ELSE);
}
