import type { TypeParsers } from "../entry/node.ts";
import { isoText } from "./iso-date.ts";
import { type ColumnType, columnTypes as type } from "./prisma-interface.ts";

/** Reads the text of one value; undefined where the database's own parser does. */
type Read = ((text: string) => unknown) | undefined;

/** A type of Postgres: its id and how Prisma reads it, and the same of its array, where Prisma reads those. */
type Entry = readonly [id: number, ColumnType, read: Read, arrayId?: number, arrayType?: ColumnType];

const asText = (text: string): string => text;

/** As @prisma/adapter-pg reads them: text where a number or a Date would lose something. Ids are those of Postgres' catalog, pg_type.dat. */
const entries: readonly Entry[] = [
  [16, type.Boolean, (text) => text === "t", 1000, type.BooleanArray],
  [17, type.Bytes, undefined, 1001, type.BytesArray],
  [19, type.Text, asText],
  [20, type.Int64, asText, 1016, type.Int64Array],
  [21, type.Int32, Number, 1005, type.Int32Array],
  [23, type.Int32, Number, 1007, type.Int32Array],
  [25, type.Text, asText, 1009, type.TextArray],
  [26, type.Int64, Number, 1028, type.Int64Array],
  [114, type.Json, asText, 199, type.JsonArray],
  [142, type.Text, asText, 143, type.TextArray],
  [650, type.Text, asText, 651, type.TextArray],
  [700, type.Float, Number, 1021, type.FloatArray],
  [701, type.Double, Number, 1022, type.DoubleArray],
  [790, type.Numeric, amountOf, 791, type.NumericArray],
  [869, type.Text, asText, 1041, type.TextArray],
  [1042, type.Text, asText, 1014, type.TextArray],
  [1043, type.Text, asText, 1015, type.TextArray],
  [1082, type.Date, isoText, 1182, type.DateArray],
  [1083, type.Time, asText, 1183, type.TimeArray],
  [1114, type.DateTime, (text) => `${isoText(text).replace(" ", "T")}+00:00`, 1115, type.DateTimeArray],
  [1184, type.DateTime, withMinutes, 1185, type.DateTimeArray],
  [1266, type.Time, (text) => text.replace(/[+-][\d:]+$/, "")],
  [1560, type.Text, asText, 1561, type.TextArray],
  [1562, type.Text, asText, 1563, type.TextArray],
  [1700, type.Numeric, asText, 1231, type.NumericArray],
  [2950, type.Uuid, asText, 2951, type.UuidArray],
  [3802, type.Json, asText, 3807, type.JsonArray],
];

const types = new Map<number, ColumnType>([[1002, type.CharacterArray]]);
const readers = new Map<number, Read>([[1002, (text) => readArray(text, asText)]]);
for (const [id, columnType, read, arrayId, arrayType] of entries) {
  types.set(id, columnType);
  readers.set(id, read);
  if (arrayId === undefined || arrayType === undefined) continue;
  types.set(arrayId, arrayType);
  readers.set(arrayId, read && ((text) => readArray(text, read)));
}

/** Types of the user's own begin here: enums, domains, what extensions bring. Source: Postgres, FirstNormalObjectId. */
const FIRST_OF_USERS = 16_384;

/** The column type; undefined where Prisma has none, as for a point. */
export function columnTypeOf(id: number): ColumnType | undefined {
  return types.get(id) ?? (id < FIRST_OF_USERS ? undefined : type.Text);
}

/** Types that Prisma has no column type for. Source: Postgres' catalog, pg_type.dat. */
const NAMES =
  "18 char|24 regproc|600 point|601 lseg|602 path|603 box|604 polygon|628 line|718 circle|774 macaddr8|829 macaddr|1186 interval|2205 regclass|" +
  "2206 regtype|2249 record|2278 void|3614 tsvector|3615 tsquery|3904 int4range|3906 numrange|3908 tsrange|3910 tstzrange|3912 daterange|3926 int8range";

/** What a type without a column type is called, as far as it is met in queries: the result of a function that gives none is `void`. */
export function typeNameOf(id: number): string {
  return new RegExp(`\\b${id} (\\w+)`).exec(NAMES)?.[1] ?? `of id ${id}`;
}

/** What Prisma's columns are read with, whatever the database's own parsers are. */
export const parsers: TypeParsers = {
  getTypeParser: (id) => (id < FIRST_OF_USERS ? readers.get(id) : asText),
};

/** An offset of whole hours in the form that Date reads; most are +00. */
function withMinutes(text: string): string {
  return isoText(text)
    .replace(" ", "T")
    .replace(/[+-]\d\d$/, "$&:00");
}

/** Money without its currency's sign and what groups thousands, as `lc_monetary` of the server has them: most of the world has a decimal comma. */
function amountOf(text: string): string {
  const number = /\d(.*\d)?/s.exec(text)?.[0].replace(/[^\d.,]/g, "") ?? "";
  const dotsGroup = /,\d\d?$|\..*[.,]/.test(number);
  const digits = dotsGroup ? number.replaceAll(".", "").replace(",", ".") : number.replaceAll(",", "");
  return /-|^\(/.test(text) ? `-${digits}` : digits;
}

/** An item in quotes, one without, or a brace. */
const pieces = /"((?:[^"\\]|\\.)*)"|[^{},"]+|[{}]/gs;

/** An array as Postgres writes it, of any depth; the bounds that may stand before it are left out. */
function readArray(text: string, read: (text: string) => unknown): unknown {
  const open: unknown[][] = [[]];
  for (const [piece, quoted] of text.slice(text.indexOf("{")).matchAll(pieces)) {
    const list = open.at(-1);
    if (piece === "{") open.push([]);
    else if (piece === "}") open.at(-2)?.push(open.pop());
    else if (quoted !== undefined) list?.push(read(quoted.replace(/\\(.)/gs, "$1")));
    else list?.push(piece === "NULL" ? null : read(piece));
  }
  return open[0]?.[0];
}
