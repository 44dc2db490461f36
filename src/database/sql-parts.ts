import type { CheckRows } from "../transports/transport.ts";
import { placeEmptyLists } from "./empty-list.ts";

/** Under this key a piece of SQL keeps what it is made of: every copy of the package reads the others'. */
export const sqlParts: unique symbol = Symbol.for("warmline.sql.v1") as never;

/** Text around values: one piece more than there are values. */
export interface SqlParts {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
  /** Of a whole statement: what its rows go through. Within another statement it says nothing. */
  readonly check?: CheckRows | undefined;
  /** It is a list of nothing: what is written of it hangs on the text around it. */
  readonly isEmptyList?: boolean;
}

/** Whether a value is a piece of SQL, of whatever copy of the package. */
export function isSql(value: unknown): value is { readonly [sqlParts]: SqlParts } {
  return typeof value === "object" && value !== null && sqlParts in value;
}

/** The one value that a piece is, with no text around it, as `sql.json(…)` is; undefined of every other. */
export function soleValue({ strings, values }: SqlParts): readonly [value: unknown] | undefined {
  return values.length === 1 && !isSql(values[0]) && strings.join("") === "" ? [values[0]] : undefined;
}

/** A piece of SQL as text, with the values its parameters stand for. */
interface Written {
  text: string;
  readonly values: unknown[];
  /** Whether a list of nothing is in it, which has no meaning everywhere. */
  hasEmptyList: boolean;
}

/** Text with `$1 …` and the values behind them. */
export function write(parts: SqlParts): Written {
  const out: Written = { text: "", values: [], hasEmptyList: false };
  append(parts, out);
  if (out.hasEmptyList) out.text = placeEmptyLists(out.text);
  return out;
}

/** Pieces within are written where they stand. */
function append({ strings, values, isEmptyList = false }: SqlParts, out: Written): void {
  out.hasEmptyList ||= isEmptyList;
  strings.forEach((piece, index) => {
    out.text += piece;
    if (index === values.length) return;
    const value = values[index];
    if (isSql(value)) append(value[sqlParts], out);
    else out.text += `$${out.values.push(value)}`;
  });
}
