import { UsageError } from "../errors/errors.ts";
import type { Statement } from "../transports/transport.ts";
import { encodeJson } from "./json.ts";
import { checkText, isPromise, refusePromise, writable } from "./refuse-value.ts";
import { type SqlParts, sqlParts } from "./sql-parts.ts";
import { encodeValue } from "./values.ts";

/** A row whose columns are not typed. */
export type Row = Record<string, unknown>;

declare const rowType: unique symbol;

/**
 * A piece of SQL with its values: inert, so it can be composed, kept and sent again. It is no promise; `db.query` sends it. Printed or
 * turned into JSON it shows its text and never its values.
 */
export interface Sql<out R = Row> {
  /** Only for the type checker: the rows it gives. */
  readonly [rowType]?: R;
  /** The statement's text with `$1 …`. */
  readonly text: string;
}

/** The row type of an {@link Sql}. */
export type RowOf<S> = S extends Sql<infer R> ? R : never;

class Fragment implements Sql<never> {
  declare readonly [sqlParts]: SqlParts;

  constructor(strings: readonly string[], values: readonly unknown[]) {
    Object.freeze(Object.defineProperty(this, sqlParts, { value: { strings, values } }));
  }

  get text(): string {
    return write(this[sqlParts]).text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): { text: string; values: number } {
    const { text, values } = write(this[sqlParts]);
    return { text, values: values.length };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const { text, values } = this.toJSON();
    return `sql\`${text}\` (values: ${values})`;
  }
}

interface Written {
  text: string;
  readonly values: unknown[];
}

/** Text with `$1 …` and the values behind them; pieces within are written where they stand. */
function write({ strings, values }: SqlParts, out: Written = { text: "", values: [] }): Written {
  strings.forEach((piece, index) => {
    out.text += piece;
    if (index === values.length) return;
    const value = values[index];
    if (isSql(value)) write(value[sqlParts], out);
    else out.text += `$${out.values.push(value)}`;
  });
  return out;
}

const textByTemplate = new WeakMap<readonly string[], string>();

/** Text and encoded values; the text of a template without pieces in it is made once. */
function toSend(parts: SqlParts): Statement {
  if (parts.values.some(isSql)) {
    const { text, values } = write(parts);
    return { text: checkText(text, "The statement"), values: values.map(encodeAt) };
  }
  let text = textByTemplate.get(parts.strings);
  if (text === undefined) {
    text = checkText(write(parts).text, "The statement");
    textByTemplate.set(parts.strings, text);
  }
  return { text, values: parts.values.map(encodeAt) };
}

function encodeAt(value: unknown, index: number): string | null {
  return encodeValue(value, index + 1);
}

function isSql(value: unknown): value is { readonly [sqlParts]: SqlParts } {
  return typeof value === "object" && value !== null && sqlParts in value;
}

function invalid(message: string, code = "INVALID_STATEMENT"): UsageError {
  return new UsageError(message, { code });
}

/**
 * SQL with parameters: every interpolated value is sent apart from the text, never written into it. An interpolated `sql` becomes part of
 * the statement.
 *
 * @example sql<User>`select * from users where id = ${id}`
 */
export function sql<R = Row>(strings: TemplateStringsArray, ...values: readonly unknown[]): Sql<R> {
  return new Fragment(strings, values);
}

/** A quoted identifier; several names are joined by dots. @throws UsageError INVALID_STATEMENT for an empty name */
sql.id = function id(...names: readonly string[]): Sql<never> {
  if (names.length === 0 || names.some((name) => typeof name !== "string" || name === ""))
    throw invalid("sql.id takes names that are not empty.");
  const quoted = names.map((name) => `"${checkText(name, "The identifier").replaceAll('"', '""')}"`);
  return new Fragment([quoted.join(".")], []);
};

/** A parameter written as JSON: for json and jsonb, where an array would otherwise be a Postgres array and a string no JSON. */
sql.json = function json(value: unknown): Sql<never> {
  const party = "The value of sql.json";
  return new Fragment(["", ""], [writable(party, () => encodeJson(value, party))]);
};

/** Pieces or values in a row, with `, ` or another `sql` between them. @throws UsageError INVALID_STATEMENT for an empty list */
sql.join = function join(items: readonly unknown[], separator: Sql<unknown> = sql.raw(", ")): Sql<never> {
  if (items.length === 0) throw invalid("sql.join takes at least one item.");
  const pieces = items.flatMap((item, index) => (index === 0 ? [item] : [separator, item]));
  return new Fragment(Array(pieces.length + 1).fill(""), pieces);
};

/** Text put into the statement as it is. Never give it anything a user has touched. */
sql.raw = function raw<R = Row>(text: string): Sql<R> {
  return new Fragment([text], []);
};

/** The bind message counts parameters in 16 bits. Source: PostgreSQL documentation, "Message Formats". */
const MAX_PARAMETERS = 65_535;

/**
 * What a caller gave, as a statement that can leave: everything is checked and encoded before the first byte does.
 *
 * @throws UsageError INVALID_STATEMENT, TOO_MANY_PARAMETERS, and what {@link encodeValue} throws
 */
export function toStatement(source: unknown, values?: unknown): Statement {
  const statement = writable("A statement or value", () => (isSql(source) ? toSend(source[sqlParts]) : fromText(source, values)));
  if (statement.values.length > MAX_PARAMETERS) {
    throw invalid(`A statement carries at most ${MAX_PARAMETERS} parameters; use unnest($1::…[]).`, "TOO_MANY_PARAMETERS");
  }
  return statement;
}

/** The statements of a batch, as they can leave. @throws UsageError as {@link toStatement} does */
export function toStatements(sources: unknown): readonly Statement[] {
  return writable("A batch", () => {
    if (!Array.isArray(sources)) throw invalid("A batch is an array of sql`…`.");
    return Array.from(sources, (source) => toStatement(source));
  });
}

function fromText(source: unknown, values: unknown = []): Statement {
  if (isPromise(source)) throw refusePromise("A statement", source, "is no promise: compose with sql`…`, not db.sql`…`");
  if (typeof source !== "string") throw invalid("A statement is a string or sql`…`.");
  if (!Array.isArray(values)) throw invalid("The values of a statement are an array.");
  return { text: checkText(source, "The statement"), values: [...values].map(encodeAt) };
}
