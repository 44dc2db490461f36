import type { ParserSet } from "../transports/transport.ts";

/** Ids of the types. Source: pg_type.dat of PostgreSQL's sources. */
export const DATE = 1082;
export const TIMESTAMP = 1114;
export const TIMESTAMPTZ = 1184;

type Parse = (text: string) => unknown;

/** Whether a function reads these as pg-types does. */
const usual = new WeakMap<Parse, boolean>();

/**
 * Reads the everyday form of a date as pg-types does, some times as fast; undefined for every other form, and where the driver's table holds
 * another parser: `2026-11-26`, `2026-11-26 01:02:03.456789`, and that with `+00`, years from 1000 to 9999.
 */
export function quickDate(typeId: number, common: ParserSet): ((text: string) => Date | undefined) | undefined {
  const parse = common.getTypeParser(typeId, "text");
  for (const id of [DATE, TIMESTAMP, TIMESTAMPTZ]) if (common.getTypeParser(id, "text") !== parse) return undefined;
  let isUsual = usual.get(parse);
  if (isUsual === undefined) {
    isUsual = readsAsPgTypes(parse);
    usual.set(parse, isUsual);
  }
  if (!isUsual) return undefined;
  if (typeId === DATE) return readDate;
  return typeId === TIMESTAMP ? readTimestamp : readTimestampInUtc;
}

/** One function for three types, that tells them apart: whoever put their own there is seldom so careful. */
function readsAsPgTypes(parse: Parse): boolean {
  const reads = (text: string, date: Date) => {
    const value = parse(text);
    return value instanceof Date && Object.getPrototypeOf(value) === Date.prototype && value.getTime() === date.getTime();
  };
  return (
    reads("2001-02-03", new Date(2001, 1, 3)) &&
    reads("2001-07-03 04:05:06.789", new Date(2001, 6, 3, 4, 5, 6, 789)) &&
    reads("2001-07-03 04:05:06.789+00", new Date(Date.UTC(2001, 6, 3, 4, 5, 6, 789)))
  );
}

const ZERO = 0x30;
const DASH = 0x2d;
const COLON = 0x3a;
const SPACE = 0x20;
const DOT = 0x2e;
const PLUS = 0x2b;

/** `2026-11-26`; one that is longer has more behind it. */
const DATE_LENGTH = 10;
/** With ` 01:02:03`. */
const TIME_LENGTH = 19;

function readDate(text: string): Date | undefined {
  if (text.length !== DATE_LENGTH || !isDate(text)) return undefined;
  return new Date(year(text), two(text, 5) - 1, two(text, 8));
}

function readTimestamp(text: string): Date | undefined {
  const ms = milliseconds(text, text.length);
  if (ms < 0 || !isTime(text)) return undefined;
  return new Date(year(text), two(text, 5) - 1, two(text, 8), two(text, 11), two(text, 14), two(text, 17), ms);
}

function readTimestampInUtc(text: string): Date | undefined {
  const end = text.length - 3;
  if (text.charCodeAt(end) !== PLUS || two(text, end + 1) !== 0) return undefined;
  const ms = milliseconds(text, end);
  const month = two(text, 5);
  if (ms < 0 || month > 12 || !isTime(text)) return undefined;
  const minutes = (daysBefore(year(text), month, two(text, 8)) * 24 + two(text, 11)) * 60 + two(text, 14);
  return new Date((minutes * 60 + two(text, 17)) * 1_000 + ms);
}

/**
 * Days from 1970-01-01 to a day of the Gregorian calendar: what Date.UTC counts, without a call into the runtime. The year begins in March, so that
 * the leap day is its last.
 */
function daysBefore(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 719_469;
}

function isDate(text: string): boolean {
  return text.charCodeAt(4) === DASH && text.charCodeAt(7) === DASH && year(text) >= 1_000 && two(text, 5) > 0 && two(text, 8) > 0;
}

function isTime(text: string): boolean {
  const isForm = text.charCodeAt(10) === SPACE && text.charCodeAt(13) === COLON && text.charCodeAt(16) === COLON;
  return isForm && isDate(text) && two(text, 11) >= 0 && two(text, 14) >= 0 && two(text, 17) >= 0;
}

/** Those of the fraction that ends at `end`, 0 for none, less than 0 where it is none. */
function milliseconds(text: string, end: number): number {
  if (end === TIME_LENGTH) return 0;
  if (end <= TIME_LENGTH + 1 || text.charCodeAt(TIME_LENGTH) !== DOT) return -1;
  let value = 0;
  for (let at = TIME_LENGTH + 1; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    if (at <= TIME_LENGTH + 3) value = value * 10 + digit;
  }
  for (let at = end; at <= TIME_LENGTH + 3; at++) value *= 10;
  return value;
}

function year(text: string): number {
  return two(text, 0) * 100 + two(text, 2);
}

/** The number of two digits; far below 0 where they are none. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1_000_000;
}
