import { UsageError } from "../errors/errors.ts";
import type { Statement } from "../transports/transport.ts";
import { refuseEmptyLists } from "./empty-list.ts";
import { checkText, invalidStatement, isPromise, refusePromise, writable } from "./refuse-value.ts";
import type { Source } from "./sql.ts";
import { isSql, type SqlParts, sqlParts, write } from "./sql-parts.ts";
import { encodeValue } from "./values.ts";

/** The bind message counts parameters in 16 bits. Source: PostgreSQL documentation, "Message Formats". */
const MAX_PARAMETERS = 65_535;

/**
 * What a caller gave, as a statement that can leave: everything is checked and encoded before the first byte does.
 *
 * @throws UsageError INVALID_STATEMENT, TOO_MANY_PARAMETERS, and what {@link encodeValue} throws
 */
export function toStatement(source: unknown, values?: unknown): Statement {
  const statement = writable("A statement or value", () => (isSql(source) ? fromSql(source[sqlParts]) : fromText(source, values)));
  if (statement.values.length > MAX_PARAMETERS) {
    const message = `A statement carries at most ${MAX_PARAMETERS} parameters; send rows by sql.unnest, lists as one array.`;
    throw new UsageError(message, { code: "TOO_MANY_PARAMETERS" });
  }
  return statement;
}

/** The statements of a batch, as they can leave. @throws UsageError as {@link toStatement} does */
export function toStatements(sources: unknown): readonly Statement[] {
  return writable("A batch", () => {
    if (!Array.isArray(sources)) throw invalidStatement("A batch is an array of sql`…` or { text, values }.");
    return Array.from(sources, (source) => toStatement(source));
  });
}

const textByTemplate = new WeakMap<readonly string[], string>();

/** The text of a template without pieces in it is made once. */
function fromSql(parts: SqlParts): Statement {
  const { strings, values, check } = parts;
  const isWhole = !values.some(isSql);
  const known = isWhole ? textByTemplate.get(strings) : undefined;
  if (known !== undefined) return { text: known, values: values.map(encodeAt), check };
  const written = write(parts);
  if (written.hasEmptyList) refuseEmptyLists(written.text);
  const text = checkText(written.text, "The statement");
  if (isWhole) textByTemplate.set(strings, text);
  return { text, values: written.values.map(encodeAt), check };
}

function encodeAt(value: unknown, index: number): string | null {
  return encodeValue(value, index + 1);
}

function fromText(source: unknown, values: unknown = []): Statement {
  if (isPromise(source)) throw refusePromise("A statement", source, "is no promise: compose with sql`…`, not db.sql`…`");
  if (typeof source === "object" && source !== null && Object.hasOwn(source, "text")) return fromTextWithValues(source as Source);
  if (typeof source !== "string") throw invalidStatement("A statement is a string, sql`…` or { text, values }.");
  if (!Array.isArray(values)) throw invalidStatement("The values of a statement are an array.");
  return { text: checkText(source, "The statement"), values: [...values].map(encodeAt), check: undefined };
}

/** What pg takes beside them would be ignored in silence. */
function fromTextWithValues({ text, values, ...rest }: Source): Statement {
  const [other] = Object.keys(rest);
  if (other !== undefined) {
    throw invalidStatement(
      `A statement is { text, values } without ${JSON.stringify(other)}: how it is sent is told by the call's options.`,
    );
  }
  if (typeof text !== "string") throw invalidStatement("The text of a statement is a string.");
  return fromText(text, values);
}
