import type { ArrayType } from "./type-catalog.ts";

/** Turns a value's Postgres text into JSON text. */
export type ValueWriter = (text: string) => string;

/** Type ids whose JSON is not a string. Source: pg_type.dat of PostgreSQL. */
const BOOL = 16;
const INT2 = 21;
const INT4 = 23;
const FLOAT4 = 700;
const FLOAT8 = 701;
const JSON_TYPE = 114;
const JSONB = 3802;

/**
 * The writer for values of a type: int2, int4 and finite floats are numbers, bool and json are values, arrays are JSON arrays of the same,
 * and everything else, int8 and numeric included, is a string.
 */
export function valueWriter(typeId: number, arrayType: (typeId: number) => ArrayType | undefined): ValueWriter {
  const array = arrayType(typeId);
  if (array !== undefined) {
    const element = scalarWriter(array.element);
    return (text) => arrayToJson(text, array.delimiter, element);
  }
  return scalarWriter(typeId);
}

function scalarWriter(typeId: number): ValueWriter {
  switch (typeId) {
    case BOOL:
      return (text) => (text === "t" ? "true" : "false");
    case INT2:
    case INT4:
    case JSON_TYPE:
    case JSONB:
      return verbatim;
    case FLOAT4:
    case FLOAT8:
      return (text) => (/^-?\d/.test(text) ? text : JSON.stringify(text));
    default:
      return JSON.stringify;
  }
}

const verbatim: ValueWriter = (text) => text;

/**
 * An array's text as a JSON array. Bounds (`[0:1]={…}`) are dropped, since JSON has none.
 * Source: PostgreSQL documentation, array input and output syntax.
 */
export function arrayToJson(text: string, delimiter: string, element: ValueWriter): string {
  let out = "";
  let at = text.startsWith("[") ? text.indexOf("=") + 1 : 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === "{" || char === "}") {
      out += char === "{" ? "[" : "]";
      at += 1;
    } else if (char === delimiter) {
      out += ",";
      at += 1;
    } else if (char === '"') {
      const end = closingQuote(text, at + 1);
      out += element(text.slice(at + 1, end).replace(/\\(.)/gs, "$1"));
      at = end + 1;
    } else {
      const end = itemEnd(text, at, delimiter);
      const item = text.slice(at, end);
      out += item === "NULL" ? "null" : element(item);
      at = end;
    }
  }
  return out;
}

function closingQuote(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function itemEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== "}") at += 1;
  return at;
}
