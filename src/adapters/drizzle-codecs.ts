import { type SQL, sql } from "drizzle-orm";
import { makePgArray, parsePgArray } from "drizzle-orm/pg-core";

type Read = (value: string) => unknown;

/** How drizzle-orm 1.0 asks for a type, and writes and reads it: by itself, in an array, and in the JSON of relations. */
type Codec = Readonly<Record<string, unknown>>;

const cast = (name: SQL): SQL => sql`${name}::text`;
const castEach = (name: SQL, dimensions: number): SQL => sql`${name}::text${sql.raw("[]".repeat(dimensions))}`;

/** Of an array of texts the values; what is NULL stays it. */
const each = (read: Read) =>
  function readAll(items: readonly unknown[], dimensions: number): unknown[] {
    return items.map((item) => {
      if (item === null) return null;
      return dimensions > 1 ? readAll(item as readonly unknown[], dimensions - 1) : read(item as string);
    });
  };

const arrayAsText: Codec = { castArray: castEach };
const arrayInJsonAsText: Codec = { castArrayInJson: castEach };
const inJsonAsText: Codec = { castInJson: cast, ...arrayInJsonAsText };
const reading = (read: Read): Codec => ({
  ...{ normalize: read, normalizeArray: each(read) },
  ...{ normalizeInJson: read, normalizeArrayInJson: each(read) },
});
/** What JSON and drivers would read as a number or a Date of their own. */
const exact = (read?: Read): Codec => ({ ...arrayAsText, ...inJsonAsText, ...(read && reading(read)) });
const whole = (read: Read): Codec => ({ ...inJsonAsText, ...reading(read) });
const shape = (read: Read): Codec => ({ cast, ...exact(read) });

const toDate = (text: string): Date => new Date(text);
const toDateInUtc = (text: string): Date => new Date(`${text}+0000`);
const numbersOf = (text: string): number[] => text.slice(1, -1).split(",").map(Number.parseFloat);

/** From `[1,2]` to an empty list for `[]`. */
const toVector = (text: string): number[] => (text.length > 2 ? numbersOf(text) : []);
const vector: Codec = {
  ...reading(toVector),
  normalizeArray: (text: string, dimensions: number) => each(toVector)(parsePgArray(text), dimensions),
};
const bits: Codec = { normalizeArray: (text: string) => parsePgArray(text) };

/** PostGIS separates the points of an array by colons. */
const POINTS = ":";
const splitPoints = parsePgArray as (text: string, separator: string) => unknown[];
const joinPoints = makePgArray as (points: unknown[], separator: string) => string;
const geometry = (read: Read): Codec => ({
  ...inJsonAsText,
  ...reading(read),
  normalizeArray: (text: string, dimensions: number) => each(read)(splitPoints(text, POINTS), dimensions),
  normalizeParamArray: (points: unknown[]) => joinPoints(points, POINTS),
});

/** A point in PostGIS' form: byte order, type, its SRID where the type says so, x, y. Source: PostGIS documentation, "EWKB". */
function readPoint(hex: string): [number, number] {
  const view = new DataView(bytesOf(hex).buffer);
  const isLittle = view.getUint8(0) === 1;
  const at = view.getUint32(1, isLittle) & 0x20000000 ? 9 : 5;
  return [view.getFloat64(at, isLittle), view.getFloat64(at + 8, isLittle)];
}

const bytesOf = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** In the JSON of relations; a Buffer where there is one, as everywhere else. */
function readBytes(text: string): Uint8Array {
  const bytes = bytesOf(text.slice(2));
  return typeof Buffer === "undefined" ? bytes : Buffer.from(bytes.buffer);
}

const json: Codec = {
  // an array would be written as one of Postgres'
  normalizeParam: (value: unknown) => (typeof value === "object" && !Array.isArray(value) ? value : JSON.stringify(value)),
  normalizeParamArray: (items: readonly unknown[], dimensions: number) => makePgArray(each(JSON.stringify)(items, dimensions)),
};

const xy = ([x, y]: readonly number[]) => ({ x, y });
const abc = ([a, b, c]: readonly number[]) => ({ a, b, c });

/**
 * How values come and go here, as drizzle-orm's own node-postgres driver has it; in 0.45 columns do it themselves. Written out, for what 1.0 has
 * ready is in no path that 0.45 has, too.
 */
export const codecs: Readonly<Record<string, Codec>> = {
  bigint: whole(BigInt),
  "bigint:number": whole(Number),
  "bigint:string": inJsonAsText,
  bigserial: whole(BigInt),
  "bigserial:number": whole(Number),
  numeric: exact(),
  "numeric:number": exact(Number),
  "numeric:bigint": exact(BigInt),
  timestamp: exact(toDateInUtc),
  "timestamp:string": exact(),
  timestamptz: exact(toDate),
  "timestamptz:string": exact(),
  date: { ...arrayAsText, ...reading(toDate) },
  "date:string": arrayAsText,
  interval: { ...arrayAsText, ...arrayInJsonAsText },
  macaddr8: { ...arrayAsText, ...arrayInJsonAsText },
  enum: { ...arrayAsText, normalizeParamArray: (items: unknown[]) => makePgArray(items) },
  bytea: { normalizeInJson: readBytes, normalizeArrayInJson: each(readBytes) },
  json,
  jsonb: json,
  point: shape((text) => xy(numbersOf(text))),
  "point:tuple": shape(numbersOf),
  line: shape((text) => abc(numbersOf(text))),
  "line:tuple": shape(numbersOf),
  "geometry(point)": geometry((hex) => xy(readPoint(hex))),
  "geometry(point):tuple": geometry(readPoint),
  bit: bits,
  sparsevec: bits,
  halfvec: vector,
  vector,
};
