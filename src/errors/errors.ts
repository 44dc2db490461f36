import { showCaller } from "./caller.ts";
import { look } from "./look.ts";
import { isOfFunction } from "./of-function.ts";
import { endsConnection, isTransactionConflict } from "./sqlstate.ts";

/**
 * What became of the statement that failed.
 *
 * - `not-sent`: no byte of it left this process, or login did not finish.
 * - `refused`: the server said no, and nothing stays done.
 * - `unknown`: it may have been done.
 * - `applied`: it was done; the answer could not be read.
 */
export type Fate = "not-sent" | "refused" | "unknown" | "applied";

/** What every error of this package carries. */
export interface ErrorDetails {
  /** What failed, told to a program. On a {@link DatabaseError} it is the SQLSTATE, as in pg. */
  readonly code: string;
  readonly fate: Fate;
  /** Whether the same call can succeed later without a change: the condition passes by itself, and nothing stays done. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** By which an error is known as one of this package, whichever copy made it: pg's, which have a fate from a pool, are none. */
const BRAND: unique symbol = Symbol.for("warmline.error");

/** The root of every error this package rejects with or throws. Its message, stack and `inspect` hold no secret and no parameter value. */
export class WarmlineError extends Error {
  readonly code: string;
  readonly fate: Fate;
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : details);
    this.name = new.target.name;
    this.code = details.code;
    this.fate = details.fate;
    this.retryable = details.retryable ?? false;
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  /**
   * True for the error of another copy of this package too: a bundler may put several into one process, where they share a pool.
   * @internal
   */
  static override [Symbol.hasInstance](error: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that is asked, most often a subclass
    return isOfClass(error, this);
  }
}

const isOfClass = (error: unknown, asked: typeof WarmlineError): boolean =>
  isWarmlineError(error) &&
  (asked === WarmlineError || asked.name === error.name || Function.prototype[Symbol.hasInstance].call(asked, error));

/** A setting is missing or wrong. Nothing was sent. */
export class ConfigError extends WarmlineError {
  // written out in every class, for minifiers rename what they like
  static override readonly name = "ConfigError";
  /** The setting's name, as in the settings table, or the environment variable it came from. */
  readonly setting: string;

  constructor(message: string, details: { readonly code: string; readonly setting: string }) {
    super(message, { code: details.code, fate: "not-sent" });
    this.setting = details.setting;
  }
}

/** The call itself is wrong: a value that cannot be sent, a nested query, use after `close`. Nothing was sent. */
export class UsageError extends WarmlineError {
  static override readonly name = "UsageError";
  constructor(message: string, details: { readonly code: string }) {
    super(message, { code: details.code, fate: "not-sent" });
  }
}

const fateSentences: Readonly<Record<Fate, string>> = {
  "not-sent": "Nothing was sent.",
  refused: "Nothing stays done.",
  unknown: "It may have been done: look before you repeat it.",
  applied: "It was done.",
};

/** What failed on the way; the message ends with the fate in words. */
class InterruptedError extends WarmlineError {
  constructor(message: string, details: ErrorDetails) {
    super(`${message} ${fateSentences[details.fate]}`, details);
  }
}

/** The way to the server failed: connecting, waiting for a connection, or the connection itself; over HTTP also the endpoint's own failures. */
export class ConnectionError extends InterruptedError {
  static override readonly name = "ConnectionError";
  /** Of the endpoint's answer, where it came over HTTP. */
  declare readonly status?: number;
  /** With CIRCUIT_OPEN: when the next call may try, milliseconds from now. */
  declare readonly retryAfterMs?: number;
}

/** The call's deadline passed, or its signal was aborted. */
export class CancelledError extends InterruptedError {
  static override readonly name = "CancelledError";
}

/** The value that could not be read. */
export interface UnreadColumn {
  /** The column's name. */
  readonly column?: string | undefined;
  /** Its place among the columns, from 0. */
  readonly columnIndex?: number | undefined;
  /** The id of its type, as in `fields`. */
  readonly typeId?: number | undefined;
  /** Of a row that was checked by a schema: its place among the rows, from 0. */
  readonly rowIndex?: number | undefined;
  /**
   * Of a row that its schema refuses: the keys from the row to what is wrong, of which those beyond the column may come from a value. Not
   * enumerable, so that no logger prints it.
   */
  readonly path?: readonly PropertyKey[] | undefined;
}

/**
 * The statement was done, and its answer could not be read. A transaction that ends with it is rolled back, and its fate is `refused`. `cause`
 * has the name and the stack of what the parser threw; its message, which may quote the value, is left out.
 */
export class DecodeError extends WarmlineError implements UnreadColumn {
  static override readonly name = "DecodeError";
  declare readonly column: string | undefined;
  declare readonly columnIndex: number | undefined;
  declare readonly typeId: number | undefined;
  declare readonly rowIndex: number | undefined;
  declare readonly path: readonly PropertyKey[] | undefined;

  constructor(message: string, details: ErrorDetails & UnreadColumn) {
    super(message, details);
    // also where they are unknown: Bun's errors have a column of their own, that of the source
    const { column, columnIndex, typeId, rowIndex, path } = details;
    Object.assign(this, { column, columnIndex, typeId, rowIndex });
    Object.defineProperty(this, "path", { value: path });
  }
}

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

const shownFields = [
  "severity",
  "position",
  "internalPosition",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const satisfies readonly (keyof ServerFields)[];

/** Fields in which Postgres quotes rows and values: readable by name, never shown by `inspect`, `JSON.stringify` or a logger that walks. */
const quotingFields = ["detail", "where", "internalQuery", "hint"] as const satisfies readonly (keyof ServerFields)[];

/** Fields that hold the names of things; where a function filled them in with RAISE, they may hold values, and are not shown either. */
const namingFields = ["schema", "table", "column", "dataType", "constraint"] as const satisfies readonly (keyof ServerFields)[];

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

/**
 * The same failure, told of a larger piece of work than the statement that failed: a copy with another fate, which has the first as its
 * `cause`. Not `own` is what another database or handle failed with: whether that passes says nothing of this one.
 */
export function withFate(error: WarmlineError, fate: Fate, own = true): WarmlineError {
  if (error.fate === fate && (own || !error.retryable)) return error;
  const told = fateSentences[error.fate];
  const message = error.message.endsWith(told) ? `${error.message.slice(0, -told.length)}${fateSentences[fate]}` : error.message;
  const copy = new WarmlineError(message, {
    code: error.code,
    fate,
    retryable: own && error.retryable && fate !== "unknown",
    cause: error,
  });
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (name === "name" || !(name in copy)) Object.defineProperty(copy, name, property);
  }
  return showCaller(copy, error);
}

/** Whether `error` comes from this package; true also for another copy of it. */
export function isWarmlineError(error: unknown): error is WarmlineError {
  return look(() => {
    return error instanceof Error && BRAND in error;
  }, false);
}
