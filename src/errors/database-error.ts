import { type Fate, WarmlineError } from "./errors.ts";
import { isOfFunction } from "./of-function.ts";
import { endsConnection, isTransactionConflict } from "./sqlstate.ts";

/** The fields of a Postgres ErrorResponse, named as in pg. `position` counts characters of the statement from 1, as text. */
export interface ServerFields {
  readonly severity: string | undefined;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly position: string | undefined;
  readonly internalPosition: string | undefined;
  readonly internalQuery: string | undefined;
  readonly where: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly dataType: string | undefined;
  readonly constraint: string | undefined;
  readonly file: string | undefined;
  readonly line: string | undefined;
  readonly routine: string | undefined;
}

/** Fields that hold the names of things; where a function filled them in with RAISE, they may hold values, and are not shown either. */
const namingFields = ["schema", "table", "column", "dataType", "constraint"] as const satisfies readonly (keyof ServerFields)[];

const shownFields = [
  "severity",
  "position",
  "internalPosition",
  ...namingFields,
  "file",
  "line",
  "routine",
] as const satisfies readonly (keyof ServerFields)[];

/** Fields in which Postgres quotes rows and values: readable by name, never shown by `inspect`, `JSON.stringify` or a logger that walks. */
const quotingFields = ["detail", "where", "internalQuery", "hint"] as const satisfies readonly (keyof ServerFields)[];

/** The names in {@link ServerFields}. */
export const serverFieldNames: readonly (keyof ServerFields)[] = [...shownFields, ...quotingFields];

/** The server's ErrorResponse as a driver hands it over. */
export type ServerReport = { readonly [Name in keyof ServerFields]?: string | null | undefined } & {
  readonly message: string;
  readonly code: string;
};

/**
 * Postgres refused the statement, or reported a failure. `code` and `sqlState` are the SQLSTATE. The message has no value: what it
 * quotes and the statement's text does not contain is blanked. `detail`, `hint`, `where` and `internalQuery` may quote values, so those
 * four are not enumerable.
 */
export class DatabaseError extends WarmlineError implements ServerFields {
  static override readonly name = "DatabaseError";
  readonly sqlState: string;
  /** Of the endpoint's answer, where it says more than that the statement was refused. */
  declare readonly status?: number;
  declare readonly severity: string | undefined;
  declare readonly detail: string | undefined;
  declare readonly hint: string | undefined;
  declare readonly position: string | undefined;
  declare readonly internalPosition: string | undefined;
  declare readonly internalQuery: string | undefined;
  declare readonly where: string | undefined;
  declare readonly schema: string | undefined;
  declare readonly table: string | undefined;
  declare readonly column: string | undefined;
  declare readonly dataType: string | undefined;
  declare readonly constraint: string | undefined;
  declare readonly file: string | undefined;
  declare readonly line: string | undefined;
  declare readonly routine: string | undefined;
  /** Zero-based index of the statement that failed in a batch; undefined for a single statement. */
  declare readonly statementIndex: number | undefined;
  /** The text of the statement that failed, without parameters, and with what stands in its strings blanked; undefined where that is not known. */
  declare readonly statement: string | undefined;

  constructor(report: ServerReport, context: ServerReportContext) {
    // refused with the connection: nothing of it stays, and another connection is to be had
    const passes = isTransactionConflict(report.code) || endsConnection(report.severity ?? undefined);
    const retryable = context.fate === "not-sent" || (context.fate === "refused" && passes);
    super(context.message ?? report.message, {
      code: report.code,
      fate: context.fate,
      retryable: context.retryable ?? retryable,
    });
    this.sqlState = report.code;
    const { statementIndex } = context;
    const hidden: readonly string[] = isOfFunction(report.routine) ? [...quotingFields, ...namingFields] : quotingFields;
    for (const name of serverFieldNames) {
      const value = report[name] ?? undefined;
      // defined also where there is none: Bun's errors have a column and a line of their own, those of the source
      Object.defineProperty(this, name, { value, enumerable: value != null && !hidden.includes(name) });
    }
    if (statementIndex !== undefined) Object.assign(this, { statementIndex });
    if (context.statement !== undefined) Object.assign(this, { statement: context.statement });
  }
}

/** What the reporter of a server's error knows beyond the report. */
export interface ServerReportContext {
  readonly fate: Fate;
  /** The message as it may be told; without it, of a login, it stays as it is. */
  readonly message?: string;
  readonly statementIndex?: number | undefined;
  /** The text of the statement that failed, as it may be shown. */
  readonly statement?: string | undefined;
  readonly retryable?: boolean;
}
