import type * as core from "drizzle-orm/pg-core";

type Read = (text: string) => unknown;
type Codec = Readonly<Record<string, unknown>>;

/** What `drizzle-orm/pg-core` of 1.0 has, and of 0.45 has not, to say how a driver's values are read and written. */
interface CodecParts {
  readonly refineGenericPgCodecs: (codecs: Readonly<Record<string, Codec>>) => unknown;
  readonly arrayCompatNormalize: (read: Read | NumberConstructor) => unknown;
  readonly arrayCompatNormalizeInput: (write: (value: unknown) => string, asPgArray: true) => unknown;
  readonly parsePgArrayAndNormalize: (read: Read) => unknown;
  readonly parseGeometryArrayAndNormalize: (read: Read) => unknown;
  readonly makePgArray: (value: unknown) => string;
  readonly parsePgArray: Read;
  readonly [part: string]: unknown;
}

/**
 * How drizzle-orm 1.0 reads and writes what comes and goes here: as its node-postgres driver does. Undefined for 0.45, whose columns do it
 * themselves. Built from its own parts, for what it has ready is in no path that both have.
 */
export function codecsOf(module: typeof core): unknown {
  // the name is looked up: a bundler would miss it in 0.45
  const parts = module as unknown as CodecParts;
  if (!("refineGenericPgCodecs" in parts)) return undefined;
  const { arrayCompatNormalize, parseGeometryArrayAndNormalize, parsePgArrayAndNormalize } = parts;
  const { castToText: cast, castToTextArr: castArray } = parts;
  const read = (normalize: unknown) => ({ normalize, normalizeArray: arrayCompatNormalize(normalize as Read) });
  const asText = (normalize?: unknown) => ({ castArray, ...(normalize !== undefined && read(normalize)) });
  const shape = (normalize: unknown) => ({ cast, ...asText(normalize) });
  const geometry = (normalize: unknown) => ({
    normalize,
    normalizeArray: parseGeometryArrayAndNormalize(normalize as Read),
    normalizeParamArray: parts.makeGeometryArray,
  });
  const vector = { normalize: parts.parsePgVector, normalizeArray: parsePgArrayAndNormalize(parts.parsePgVector as Read) };
  const bits = { normalizeArray: (text: string) => parts.parsePgArray(text) };
  const json = {
    // an array would be sent as one of Postgres'
    normalizeParam: (value: unknown) => (typeof value === "object" && !Array.isArray(value) ? value : JSON.stringify(value)),
    normalizeParamArray: parts.arrayCompatNormalizeInput((value) => JSON.stringify(value), true),
  };
  return parts.refineGenericPgCodecs({
    bigint: read(BigInt),
    "bigint:number": read(Number),
    bigserial: read(BigInt),
    "bigserial:number": read(Number),
    bit: bits,
    sparsevec: bits,
    numeric: asText(),
    "numeric:number": asText(Number),
    "numeric:bigint": asText(BigInt),
    date: asText(parts.textToDate),
    "date:string": asText(),
    timestamp: asText(parts.textToDateWithTz),
    "timestamp:string": asText(),
    timestamptz: asText(parts.textToDate),
    "timestamptz:string": asText(),
    interval: asText(),
    "geometry(point)": geometry(parts.parseGeometryXY),
    "geometry(point):tuple": geometry(parts.parseGeometryTuple),
    json,
    jsonb: json,
    enum: { castArray, normalizeParamArray: (value: unknown) => parts.makePgArray(value) },
    line: shape(parts.parseLineABC),
    "line:tuple": shape(parts.parseLineTuple),
    point: shape(parts.parsePointXY),
    "point:tuple": shape(parts.parsePointTuple),
    macaddr8: { castArray, castArrayInJson: castArray },
    halfvec: vector,
    vector,
  });
}
