import parseDate from "postgres-date";
import parseInterval from "postgres-interval";
import { arrayParser } from "./array-text.ts";
import type { Parse } from "./read-time.ts";
import type { CommonParsers } from "./user-types.ts";

/** Built-in types by their names in capitals. Source: pg-types 2.2, `builtins.js`. */
const builtins: Readonly<Record<string, number>> = {
  BOOL: 16,
  BYTEA: 17,
  CHAR: 18,
  INT8: 20,
  INT2: 21,
  INT4: 23,
  REGPROC: 24,
  TEXT: 25,
  OID: 26,
  TID: 27,
  XID: 28,
  CID: 29,
  JSON: 114,
  XML: 142,
  PG_NODE_TREE: 194,
  SMGR: 210,
  PATH: 602,
  POLYGON: 604,
  CIDR: 650,
  FLOAT4: 700,
  FLOAT8: 701,
  ABSTIME: 702,
  RELTIME: 703,
  TINTERVAL: 704,
  CIRCLE: 718,
  MACADDR8: 774,
  MONEY: 790,
  MACADDR: 829,
  INET: 869,
  ACLITEM: 1033,
  BPCHAR: 1042,
  VARCHAR: 1043,
  DATE: 1082,
  TIME: 1083,
  TIMESTAMP: 1114,
  TIMESTAMPTZ: 1184,
  INTERVAL: 1186,
  TIMETZ: 1266,
  BIT: 1560,
  VARBIT: 1562,
  NUMERIC: 1700,
  REFCURSOR: 1790,
  REGPROCEDURE: 2202,
  REGOPER: 2203,
  REGOPERATOR: 2204,
  REGCLASS: 2205,
  REGTYPE: 2206,
  UUID: 2950,
  TXID_SNAPSHOT: 2970,
  PG_LSN: 3220,
  PG_NDISTINCT: 3361,
  PG_DEPENDENCIES: 3402,
  TSVECTOR: 3614,
  TSQUERY: 3615,
  GTSVECTOR: 3642,
  REGCONFIG: 3734,
  REGDICTIONARY: 3769,
  JSONB: 3802,
  REGNAMESPACE: 4089,
  REGROLE: 4096,
};

const asText: Parse = String;
const readInteger: Parse = (text) => Number.parseInt(text, 10);
const readBoolean: Parse = (text) => /^(t|true|TRUE|y|yes|on|1)$/.test(text);
const readJson: Parse = (text) => JSON.parse(text);

/** Who reads which types: the id of the type, and that of its arrays. */
const readers: readonly (readonly [read: Parse, ...types: (readonly [id: number, array: number])[]])[] = [
  [readBoolean, [16, 1000]],
  [readInteger, [21, 1005], [23, 1007], [26, 1028]],
  [Number.parseFloat, [700, 1021], [701, 1022]],
  [parseDate, [1082, 1182], [1114, 1115], [1184, 1185]],
  [parseInterval, [1186, 1187]],
  [readBytes, [17, 1001]],
  [readJson, [114, 199], [3802, 3807]],
  [readPoint, [600, 1017]],
];

/** Arrays whose items are texts: those of int8, char, text, bpchar, varchar, name, macaddr, inet, cidr, money, uuid, time, timetz, numrange. */
const arraysOfTexts = [1016, 1014, 1009, 1008, 1015, 1040, 1041, 651, 791, 2951, 1183, 1270, 3907];

const parsers = new Map<number, Parse>([
  ...readers.flatMap(([read, ...types]) =>
    types.flatMap(([type, array]) => [[type, read] as const, [array, arrayParser(read, ",")] as const]),
  ),
  ...arraysOfTexts.map((id) => [id, arrayParser(asText, ",")] as const),
  // numeric is a text, for no number holds it; that its arrays hold numbers is so in pg
  [1231, arrayParser(Number.parseFloat, ",")],
  [718, readCircle],
]);

/**
 * What pg-types is where there is no pg: the same types, read as the same values. The one difference: bytes are a `Uint8Array` where the runtime
 * has no `Buffer`.
 */
export const textParsers: CommonParsers = {
  builtins,
  getTypeParser: (id, format) => (format === "binary" ? asText : (parsers.get(id) ?? asText)),
};

/** Bytes in either form, `hex` and `escape`. */
function readBytes(text: string): Uint8Array {
  const isHex = text.startsWith("\\x");
  if (isHex && globalThis.Buffer) return Buffer.from(text.slice(2), "hex");
  const codes = isHex
    ? text
        .slice(2)
        .match(/../g)
        ?.map((pair) => Number.parseInt(pair, 16))
    : text.match(/\\[0-7]{3}|\\\\|[^\\]/gs)?.map((one) => (one.length === 4 ? Number.parseInt(one.slice(1), 8) : one.charCodeAt(0)));
  return globalThis.Buffer ? Buffer.from(codes ?? []) : Uint8Array.from(codes ?? []);
}

/** `(1,2)`; null for what is none. */
function readPoint(text: string): { readonly x: number; readonly y: number } | null {
  if (!text.startsWith("(")) return null;
  const [x = "", y = ""] = text.slice(1, -1).split(",");
  return { x: Number.parseFloat(x), y: Number.parseFloat(y) };
}

/** `<(1,2),3>`. */
function readCircle(text: string): object {
  const [x = "", y = "", radius = ""] = text.replace(/[<()>]/g, "").split(",");
  return { x: Number.parseFloat(x), y: Number.parseFloat(y), radius: Number.parseFloat(radius) };
}
