import { decodeFailure } from "../errors/decode-failure.ts";
import { Columns, type ReadOptions } from "../wire/columns.ts";
import { badResponse } from "./http-broken.ts";
import type { Field } from "./transport.ts";

/** What the endpoint says of one statement: values are texts, as Postgres writes them, and columns hold nothing but what a Field has. */
export interface HttpResult {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly command: string | null;
  readonly rowCount: number | null;
}

/**
 * Takes an answer's body apart, whole: what is missing in it must not pass for no rows, nor what is no text for a parser's failure.
 * @param count how many statements of a batch were sent; undefined for a query
 * @throws ConnectionError BAD_RESPONSE
 */
export function readBody(text: string, count: number | undefined): readonly HttpResult[] {
  let body: { readonly results?: unknown } | null;
  try {
    body = JSON.parse(text);
  } catch {
    throw badResponse();
  }
  const results = count === undefined ? [body] : body?.results;
  if (!Array.isArray(results) || results.length !== (count ?? 1)) throw badResponse();
  return results.map(checked);
}

/** Reads rows. @throws DecodeError */
export function readRows({ fields, rows }: HttpResult, options: ReadOptions): Record<string, unknown>[] {
  const { keys, parsers, emptyRow, failure } = new Columns(fields, options);
  if (failure) throw failure;
  const isArray = options.rowMode === "array";
  let column = 0;
  try {
    return rows.map((texts) => {
      const row = (isArray ? [] : { ...emptyRow }) as Record<string | number, unknown>;
      for (column = 0; column < keys.length; column++) {
        const value = texts[column] as string | null;
        row[keys[column] as string] = value === null ? null : (parsers[column] as (text: string) => unknown)(value);
      }
      return row;
    });
  } catch (thrown) {
    throw decodeFailure(thrown, fields, column);
  }
}

function checked(result: { readonly [Key in keyof HttpResult]?: unknown } | null): HttpResult {
  const { fields, rows, command = null, rowCount = null } = result ?? {};
  const isWhole =
    Array.isArray(fields) &&
    Array.isArray(rows) &&
    (command === null || typeof command === "string") &&
    (rowCount === null || (Number.isSafeInteger(rowCount) && (rowCount as number) >= 0)) &&
    fields.every(isField) &&
    rows.every((row) => Array.isArray(row) && row.length === fields.length && row.every(isText));
  if (!isWhole) throw badResponse();
  return { fields: Object.freeze(fields.map(plainField)), rows, command: command || null, rowCount: rowCount as number | null };
}

function isText(value: unknown): boolean {
  return typeof value === "string" || value === null;
}

const numbersOfFields = ["dataTypeID", "tableID", "columnID", "dataTypeSize", "dataTypeModifier"] as const;

/** Whether it is a column. Of its numbers the type is needed; an endpoint that leaves out others is taken at its word. */
function isField(field: Partial<Field> | null): boolean {
  if (typeof field?.name !== "string" || field.dataTypeID === undefined) return false;
  return numbersOfFields.every((name) => field[name] === undefined || Number.isSafeInteger(field[name]));
}

function plainField({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format }: Field): Field {
  return Object.freeze({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format });
}
