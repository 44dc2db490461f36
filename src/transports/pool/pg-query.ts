import pg from "pg";
import type { ParserSet } from "../transport.ts";

/** A query of pg's that is nothing but a text, its values, and how its rows are read. */
export interface PgQuery {
  readonly text: string;
  /** As pg prepares them; null where the text goes by the simple protocol. */
  readonly values: readonly (string | null)[] | null;
  readonly name: string | undefined;
  readonly rowMode: "object" | "array";
  readonly types: ParserSet | undefined;
}

/** What pg reads of what it is given. */
interface GivenQuery {
  readonly text?: unknown;
  readonly values?: unknown;
  readonly name?: unknown;
  readonly rowMode?: unknown;
  readonly types?: unknown;
  readonly queryMode?: unknown;
  readonly submit?: unknown;
  readonly binary?: unknown;
  readonly portal?: unknown;
  readonly rows?: unknown;
  readonly query_timeout?: unknown;
  readonly callback?: unknown;
}

/** What pg exports, and does not type. */
const { prepareValue } = (pg as unknown as { readonly utils: { readonly prepareValue: (value: unknown) => unknown } }).utils;

/** Bind counts its parameters in 16 bits. */
const MOST_VALUES = 65_535;

/**
 * Reads what `query` of a pool was given, as pg reads it; undefined where it asks for what only pg itself does: submittables, rows in portions
 * or in binary, a timeout or a callback of its own, bytes. Throws what preparing a value throws.
 */
export function readQuery(config: unknown, givenValues: unknown): PgQuery | undefined {
  const { query_timeout, binary } = pg.defaults as { readonly query_timeout?: unknown; readonly binary?: unknown };
  if (query_timeout || binary) return undefined;
  if (typeof config === "string") return plain({ text: config }, givenValues || undefined);
  if (typeof config !== "object" || config === null) return undefined;
  const given = config as GivenQuery;
  if (given.submit || given.binary || given.portal || given.rows || given.query_timeout || given.callback) return undefined;
  return plain(given, givenValues || given.values);
}

function plain({ text, name, rowMode, types, queryMode }: GivenQuery, values: unknown): PgQuery | undefined {
  // in pg's own words
  if (values && !Array.isArray(values)) throw new Error("Query values must be an array");
  if (typeof text !== "string" || Array.isArray(types)) return undefined;
  if (name && typeof name !== "string") return undefined;
  const list = (values || []) as readonly unknown[];
  const isExtended = queryMode === "extended" || Boolean(name) || (text !== "" && list.length > 0);
  const prepared = isExtended ? prepare(list) : null;
  if (prepared === undefined) return undefined;
  return {
    text,
    values: prepared,
    name: (name || undefined) as string | undefined,
    rowMode: rowMode === "array" ? "array" : "object",
    types: (types || undefined) as ParserSet | undefined,
  };
}

/** Values as texts; undefined where one is bytes, which travel as they are. */
function prepare(values: readonly unknown[]): readonly (string | null)[] | undefined {
  if (values.length > MOST_VALUES || values.some(ArrayBuffer.isView)) return undefined;
  const prepared: (string | null)[] = [];
  for (const value of values) {
    const text = typeof value === "string" ? value : (prepareValue(value) ?? null);
    if (text !== null && typeof text !== "string") return undefined;
    prepared.push(text);
  }
  return prepared;
}
