import { look } from "../errors/look.ts";
import { EMPTY_LIST, hideEmptyLists } from "./empty-list.ts";
import { encodeJson } from "./json.ts";
import { quotedName } from "./quoted-name.ts";
import { invalidStatement, writable } from "./refuse-value.ts";
import { isSql, type SqlParts, sqlParts, write } from "./sql-parts.ts";
import { assignmentsOf, listOf, rowsAsArrays, valuesOf } from "./sql-rows.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./standard-schema.ts";
import { rowCheck, type TypedOptions } from "./typed-rows.ts";

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

/**
 * What can be sent: an {@link Sql}, or `{ text, values }`, in pg's own form, as ORMs make it. The text holds `$1 …`, and the values are those
 * behind them. It is a whole statement, and no part of an {@link Sql}.
 */
export interface Source<out R = Row> {
  /** Only for the type checker: the rows it gives. */
  readonly [rowType]?: R;
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
}

/** The row type of a {@link Source}. */
export type RowOf<S> = S extends Source<infer R> ? (unknown extends R ? Row : R) : never;

class Fragment implements Sql<never> {
  declare readonly [sqlParts]: SqlParts;

  constructor(parts: SqlParts) {
    Object.freeze(Object.defineProperty(this, sqlParts, { value: parts }));
  }

  get text(): string {
    return hideEmptyLists(write(this[sqlParts]).text);
  }

  toString(): string {
    return this.text;
  }

  toJSON(): { text: string; values: number } {
    return { text: this.text, values: write(this[sqlParts]).values.length };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const { text, values } = this.toJSON();
    return `sql\`${text}\` (values: ${values})`;
  }
}

/**
 * SQL with parameters: every interpolated value is sent apart from the text, never written into it. An interpolated `sql` becomes part of
 * the statement.
 *
 * @example sql<User>`select * from users where id = ${id}`
 * @throws UsageError INVALID_STATEMENT where it is called with a text
 */
export function sql<R = Row>(strings: TemplateStringsArray, ...values: readonly unknown[]): Sql<R> {
  return new Fragment({ strings: piecesOf(strings), values });
}

function piecesOf(strings: TemplateStringsArray): readonly string[] {
  if (look(() => Array.isArray(strings), false)) return strings;
  throw invalidStatement("sql is a tag: write sql`…`, or query(text, values).");
}

/** The tag of statements whose rows are `R`. */
export type TypedTag<R> = (strings: TemplateStringsArray, ...values: readonly unknown[]) => Sql<R>;

/**
 * SQL whose rows are checked by a Standard Schema (of valibot, zod, arktype …) before they are handed over, and are what it makes of them.
 * With `rowMode: "array"` the schema is given arrays. Within another statement it is a piece of SQL like any other.
 *
 * A row that does not fit fails its call with a DecodeError ROW_MISMATCH, which names the column and never the value; a schema that throws
 * or gives a promise with SCHEMA_FAILED. The statement was done; a transaction that ends with such an error is rolled back.
 *
 * With `{ sample }` a share of the rows is checked, from 0 for none to 1, and all rows stay as the database gives them: then they have the
 * schema's input type, for what it would make of them must not hang on chance.
 *
 * @example await db.query(sql.typed(User)`select * from users where id = ${id}`)
 * @throws UsageError INVALID_SCHEMA for what is none; INVALID_OPTION
 */
sql.typed = typed;

function typed<S extends StandardSchema>(schema: S): TypedTag<SchemaOutput<S>>;
function typed<S extends StandardSchema>(schema: S, options: TypedOptions): TypedTag<SchemaInput<S>>;
function typed(schema: StandardSchema, options?: TypedOptions): TypedTag<never> {
  const check = rowCheck(schema, options);
  return (strings, ...values) => new Fragment({ strings: piecesOf(strings), values, check });
}

/** A quoted identifier; several names are joined by dots. @throws UsageError INVALID_STATEMENT for an empty name */
sql.id = function id(...names: readonly string[]): Sql<never> {
  if (names.length === 0) throw invalidStatement("sql.id takes at least one name.");
  return sql.raw(names.map(quotedName).join("."));
};

/** A parameter written as JSON: for json and jsonb, where an array would otherwise be a Postgres array and a string no JSON. */
sql.json = function json(value: unknown): Sql<never> {
  const party = "The value of sql.json";
  return new Fragment({ strings: ["", ""], values: [writable(party, () => encodeJson(value, party))] });
};

/**
 * Pieces or values in a row, with `, ` or another `sql` between them. A list of nothing makes `x in (…)` false and `x not in (…)` true for
 * every x, NULL too; anywhere else it is refused when it is sent.
 *
 * @throws UsageError INVALID_STATEMENT for an empty list with a separator that is no comma: what `and` or `or` make of nothing is yours to say; for
 * what is no array, and a separator that is no `sql`; PROMISE_VALUE
 */
sql.join = function join(items: readonly unknown[], separator: Sql<unknown> = sql.raw(", ")): Sql<never> {
  if (!isSql(separator)) throw invalidStatement("The separator of sql.join is sql`…`, as sql` and `.");
  if (listOf(items, "sql.join", "values or pieces").length === 0) {
    if (separator.text.trim() !== ",") throw invalidStatement("sql.join with a separator of its own takes at least one item.");
    return new Fragment({ strings: [EMPTY_LIST], values: [], isEmptyList: true });
  }
  const pieces = items.flatMap((item, index) => (index === 0 ? [item] : [separator, item]));
  return new Fragment({ strings: Array(pieces.length + 1).fill(""), values: pieces });
};

/**
 * What stands behind `insert into t`: `("a", "b") values ($1, $2), ($3, $4)`. The columns are the keys of the first row, which every row has
 * and no row more; those of `columns` are taken where they are given, and other keys are left alone. A value may be a piece of SQL:
 * `` sql`now()` ``, `` sql`default` ``, `sql.json(…)`.
 *
 * @example sql`insert into users ${sql.values([{ name, born }])} returning id`
 * @throws UsageError INVALID_STATEMENT for no rows, no columns, or a row with others; UNDEFINED_VALUE for undefined: send null for NULL
 */
sql.values = function values<R extends object>(rows: readonly R[], columns?: readonly (keyof R & string)[]): Sql<never> {
  return new Fragment(valuesOf(rows, columns));
};

/**
 * What stands behind `set` in an update: `"a" = $1, "b" = $2`, a column for every key. A value may be a piece of SQL, as `` sql`visits + 1` ``.
 *
 * @example sql`update users set ${sql.set({ name, seen: sql`now()` })} where id = ${id}`
 * @throws UsageError INVALID_STATEMENT for a patch without keys; UNDEFINED_VALUE for undefined: send null for NULL, or leave the key out
 */
sql.set = function set(patch: object): Sql<never> {
  return new Fragment(assignmentsOf(patch));
};

/**
 * Rows as a query that takes one parameter per column, however many they are: `select "a"::int, "b"::text from unnest($1::text[], …)`, for an
 * insert, or as a table in `from (…)`. The columns are the keys of `types`, in their order; other keys of a row are left alone. A type is a
 * name, with its schema and `[]` where it has them; a length, as in `varchar(20)`, is for the column to judge. Of pieces of SQL only
 * `sql.json(…)` can be a value. No rows make a query without rows.
 *
 * @example sql`insert into users (name, born) ${sql.unnest(rows, { name: "text", born: "date" })}`
 * @throws UsageError INVALID_STATEMENT for no columns, what is no name of a type, or a row that lacks a column; UNDEFINED_VALUE;
 * UNSUPPORTED_VALUE for an array in a column whose type is none
 */
sql.unnest = function unnest<R extends object>(rows: readonly R[], types: { readonly [C in keyof R & string]?: string }): Sql<never> {
  return new Fragment(rowsAsArrays(rows, types));
};

/** Text put into the statement as it is. Never give it anything a user has touched. @throws UsageError INVALID_STATEMENT for what is no text */
sql.raw = function raw<R = Row>(text: string): Sql<R> {
  if (typeof text !== "string") throw invalidStatement("sql.raw takes a text.");
  return new Fragment({ strings: [text], values: [] });
};
