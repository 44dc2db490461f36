import { type Column, causeOf, WAS_DONE } from "./decode-failure.ts";
import { DecodeError } from "./errors.ts";

/** Where a row was found that does not fit. */
interface Place {
  readonly fields: readonly Column[];
  /** Among the rows of its result, from 0. */
  readonly rowIndex: number;
}

/**
 * The error of a row that its schema refuses. Names of columns are told; what the path says beyond them may be a key out of a value, and so
 * may all of it where it begins with no column. What the schema's library says may quote the value.
 */
export function rowMismatch({ fields, rowIndex }: Place, path: readonly PropertyKey[]): DecodeError {
  const [key] = path;
  const columnIndex = typeof key === "number" ? key : fields.findIndex(({ name }) => name === key);
  const field = fields[columnIndex];
  const where = field === undefined ? "" : ` at its column ${JSON.stringify(field.name)} (type ${field.dataTypeID})`;
  return new DecodeError(`${WAS_DONE}, but row ${rowIndex + 1} of its answer does not fit the schema${where}. error.path says where.`, {
    code: "ROW_MISMATCH",
    fate: "applied",
    rowIndex,
    path,
    ...(field && { column: field.name, columnIndex, typeId: field.dataTypeID }),
  });
}

/** The error of a value whose type the server could not be asked about, or does not list. */
export function typeLookupFailed(fields: readonly Column[], columnIndex: number, cause: unknown): DecodeError {
  const { name, dataTypeID: typeId } = fields[columnIndex] as Column;
  const why = cause === undefined ? "does not list it" : "could not be asked, see cause";
  return new DecodeError(
    `${WAS_DONE}, but its column ${JSON.stringify(name)} has a type (${typeId}) that is not known: pg_type ${why}. Ask again, or give it a parser by number in the setting types.`,
    { code: "TYPE_LOOKUP_FAILED", fate: "applied", cause, column: name, columnIndex, typeId },
  );
}

/** The error of a schema that gave no judgement of a row: it threw, or is one that answers later. */
export function schemaFailed(rowIndex: number, why: "async" | { readonly thrown: unknown }): DecodeError {
  const cause = why === "async" ? undefined : causeOf(why.thrown);
  const problem =
    cause === undefined
      ? "the schema gave a promise. Rows are checked at once: leave out what is asynchronous."
      : `the schema threw a ${cause.name}. Mend it.`;
  return new DecodeError(`${WAS_DONE}, but row ${rowIndex + 1} of its answer could not be checked: ${problem}`, {
    code: "SCHEMA_FAILED",
    fate: "applied",
    rowIndex,
    cause,
  });
}
