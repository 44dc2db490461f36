import { otherStyle } from "../errors/decode-failure.ts";

/** Of a date, timestamp or timestamptz, and their arrays. Source: Postgres' catalog, pg_type.dat. */
const dates: ReadonlySet<number> = new Set([1082, 1114, 1184, 1182, 1115, 1185]);

/** Whether text of this type is a date, or an array of dates. */
export const isDate = (typeId: number): boolean => dates.has(typeId);

/** What an array has between its braces, quotes and commas; none of them stands in a date. */
const items = /[^{},"]+/g;
const iso = /^(?:\d{4,}-\d\d-\d\d(?!\d)|-?infinity$|NULL$)/;

/**
 * A date as the server wrote it, for who reads it with Date: of another style that takes the day for the month. The bounds that may stand before
 * an array are left out. @throws Unreadable where DateStyle is none of ISO
 */
export function isoText(text: string): string {
  for (const [item] of text.slice(text.indexOf("{") + 1).matchAll(items)) if (!iso.test(item)) throw otherStyle("DateStyle", "ISO, DMY");
  return text;
}
