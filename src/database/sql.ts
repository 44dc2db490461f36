import { UsageError } from "../errors/errors.ts";
import type { Statement } from "../transports/transport.ts";
import { checkText, encodeJson, encodeValue, sqlBrand } from "./values.ts";

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
  readonly #strings: readonly string[];
  readonly #values: readonly unknown[];

  constructor(strings: readonly string[], values: readonly unknown[]) {
    this.#strings = strings;
    this.#values = values;
    Object.freeze(this);
  }

  get [sqlBrand](): true {
    return true;
  }

  get text(): string {
    return this.#write(new Writer()).text;
  }

  /** Text and encoded values; the text of a template without nested pieces is made once. */
  get statement(): Statement {
    if (!this.#values.some(isSql)) return { text: plainText(this.#strings), values: Array.from(this.#values, encodeAt) };
    const writer = this.#write(new Writer());
    return { text: checkText(writer.text, () => "The statement"), values: Array.from(writer.values, encodeAt) };
  }

  writeTo(writer: Writer): void {
    this.#write(writer);
  }

  #write(writer: Writer): Writer {
    this.#strings.forEach((piece, index) => {
      writer.text += piece;
      if (index < this.#values.length) writer.value(this.#values[index]);
    });
    return writer;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): { text: string; values: number } {
    const { text, values } = this.#write(new Writer());
    return { text, values: values.length };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const { text, values } = this.toJSON();
    return `sql\`${text}\` (${values} ${values === 1 ? "value" : "values"})`;
  }
}

class Writer {
  text = "";
  readonly values: unknown[] = [];

  value(value: unknown): void {
    if (value instanceof Fragment) value.writeTo(this);
    else if (isSql(value)) throw foreignCopy();
    else this.text += `$${this.values.push(value)}`;
  }
}

const textByTemplate = new WeakMap<readonly string[], string>();

function plainText(strings: readonly string[]): string {
  let text = textByTemplate.get(strings);
  if (text === undefined) {
    text = checkText(
      strings.reduce((left, right, index) => `${left}$${index}${right}`),
      () => "The statement",
    );
    textByTemplate.set(strings, text);
  }
  return text;
}

function encodeAt(value: unknown, index: number): string | null {
  return encodeValue(value, index + 1);
}

function isSql(value: unknown): boolean {
  return typeof value === "object" && value !== null && sqlBrand in value;
}

function foreignCopy(): UsageError {
  return new UsageError("This sql`…` was made by another copy of warmline. Install one version: npm ls warmline shows both.", {
    code: "INVALID_STATEMENT",
  });
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
  if (names.length === 0 || names.some((name) => typeof name !== "string" || name === "")) {
    throw new UsageError("sql.id needs one or more names that are not empty.", { code: "INVALID_STATEMENT" });
  }
  const quoted = names.map((name) => `"${checkText(name, () => "The identifier").replaceAll('"', '""')}"`);
  return new Fragment([quoted.join(".")], []);
};

/** A parameter written as JSON: for json and jsonb, where an array would otherwise be a Postgres array and a string no JSON. */
sql.json = function json(value: unknown): Sql<never> {
  return new Fragment(["", ""], [encodeJson(value, "The value of sql.json")]);
};

/** Pieces or values in a row, with `, ` or another `sql` between them. @throws UsageError INVALID_STATEMENT for an empty list */
sql.join = function join(items: readonly unknown[], separator: Sql<unknown> = comma): Sql<never> {
  if (items.length === 0)
    throw new UsageError("sql.join needs at least one item. Leave the clause out when the list is empty.", { code: "INVALID_STATEMENT" });
  const pieces = items.flatMap((item, index) => (index === 0 ? [item] : [separator, item]));
  return new Fragment(
    Array.from({ length: pieces.length + 1 }, () => ""),
    pieces,
  );
};

/** Text put into the statement as it is. Never give it anything a user has touched. */
sql.raw = function raw(text: string): Sql<never> {
  return new Fragment([text], []);
};

const comma: Sql<never> = sql.raw(", ");

/** The bind message counts parameters in 16 bits. Source: PostgreSQL documentation, "Message Formats". */
const MAX_PARAMETERS = 65_535;

/**
 * What a caller gave, as a statement that can leave: everything is checked and encoded before the first byte does.
 *
 * @throws UsageError INVALID_STATEMENT, TOO_MANY_PARAMETERS, and what {@link encodeValue} throws
 */
export function toStatement(source: unknown, values?: unknown): Statement {
  const statement = source instanceof Fragment ? fromFragment(source, values) : fromText(source, values);
  if (statement.values.length > MAX_PARAMETERS) {
    throw new UsageError(
      `The statement has over ${MAX_PARAMETERS} parameters, more than one can carry. Send arrays with unnest($1::…[]), or several statements.`,
      {
        code: "TOO_MANY_PARAMETERS",
      },
    );
  }
  return statement;
}

function fromFragment(fragment: Fragment, values: unknown): Statement {
  if (values !== undefined)
    throw new UsageError("sql`…` carries its own values; the second argument takes options only.", { code: "INVALID_STATEMENT" });
  return fragment.statement;
}

function fromText(source: unknown, values: unknown): Statement {
  if (isSql(source)) throw foreignCopy();
  if (typeof source === "object" && source !== null && "then" in source) {
    throw new UsageError("A statement cannot be a promise: compose with sql`…`; db.sql`…` has been sent already.", {
      code: "PROMISE_VALUE",
    });
  }
  if (typeof source !== "string") throw new UsageError("A statement is a string or sql`…`.", { code: "INVALID_STATEMENT" });
  if (values !== undefined && !Array.isArray(values))
    throw new UsageError("The values of a statement are an array, one item for each $n.", { code: "INVALID_STATEMENT" });
  return { text: checkText(source, () => "The statement"), values: Array.from((values as readonly unknown[] | undefined) ?? [], encodeAt) };
}
