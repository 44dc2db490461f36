import type { DatabaseError } from "../errors/database-error.ts";
import { type ErrorDetails, type Fate, isWarmlineError, type WarmlineError } from "../errors/errors.ts";

/** What Prisma tells errors by; each kind has fields of its own. */
export interface MappedError {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/**
 * An error in the form Prisma looks for, which it hands on as `meta.driverAdapterError`. `code`, `fate` and `retryable` are those of the error it is
 * made of, which is its `error`.
 */
export class DriverAdapterError extends Error implements ErrorDetails {
  override readonly name = "DriverAdapterError";
  override readonly cause: MappedError;
  readonly code: string;
  readonly fate: Fate;
  readonly retryable: boolean;
  declare readonly error: Error | undefined;

  constructor(mapped: MappedError, { code, fate, retryable = false }: ErrorDetails, error?: Error) {
    super(error?.message ?? mapped.kind);
    this.cause = mapped;
    this.code = code;
    this.fate = fate;
    this.retryable = retryable;
    Object.defineProperty(this, "error", { value: error });
  }
}

/** What a call rejected with, as Prisma takes it. What has no kind there stays as it is. */
export function toPrisma(error: unknown): unknown {
  if (!isWarmlineError(error)) return error;
  const { code: originalCode, message: originalMessage } = error;
  const kind = "sqlState" in error ? ofServer(error as DatabaseError) : onTheWay(error);
  return kind === undefined ? error : new DriverAdapterError({ originalCode, originalMessage, ...kind }, error, error);
}

/** The kinds of what was said by the server, by SQLSTATE, as in @prisma/adapter-pg. */
function ofServer(error: DatabaseError): MappedError {
  const { sqlState, message, column, constraint, table, severity } = error;
  const named = /"(.*?)"/.exec(message)?.[1];
  const constrained = { constraint: column ? { fields: [column] } : constraint && { index: constraint } };
  switch (sqlState) {
    case "22001":
      return { kind: "LengthMismatch", column };
    case "22003":
      return { kind: "ValueOutOfRange", cause: message };
    case "22P02":
      return { kind: "InvalidInputValue", message };
    case "23505":
      return { kind: "UniqueConstraintViolation", constraint: constraint && { index: constraint }, table };
    case "23502":
      return { kind: "NullConstraintViolation", ...constrained };
    case "23503":
      return { kind: "ForeignKeyConstraintViolation", ...constrained };
    case "23001":
      return { kind: "RestrictViolation", ...constrained };
    case "3D000":
      return { kind: "DatabaseDoesNotExist", db: named };
    case "28000":
      return { kind: "DatabaseAccessDenied", db: /database "(.*?)"/.exec(message)?.[1] };
    case "28P01":
      return { kind: "AuthenticationFailed", user: named };
    case "40001":
    case "40P01":
    case "OC000":
    case "OC001":
      return { kind: "TransactionWriteConflict" };
    case "42P01":
      return { kind: "TableDoesNotExist", table: named };
    case "42703":
      return { kind: "ColumnNotFound", column: /^column (.+) does not exist/.exec(message)?.[1]?.replaceAll('"', "") };
    case "42P04":
      return { kind: "DatabaseAlreadyExists", db: named };
    case "53300":
      return { kind: "TooManyConnections", cause: message };
    default:
      // what the server says in detail and hint may quote rows: they are on the error it was made of
      return { kind: "postgres", code: sqlState, severity: severity ?? "N/A", message, detail: undefined, column, hint: undefined };
  }
}

/** The kinds of what failed between here and the server. */
function onTheWay(error: WarmlineError): MappedError | undefined {
  const { code, message } = error;
  switch (code) {
    case "CONNECT_FAILED":
    case "OTHER_SERVER":
    case "CIRCUIT_OPEN":
      return { kind: "DatabaseNotReachable" };
    case "CONNECT_TIMEOUT":
    case "DEADLINE_EXCEEDED":
    case "ATTEMPT_TIMEOUT":
      return { kind: "SocketTimeout" };
    case "ACQUIRE_TIMEOUT":
    case "QUEUE_FULL":
      return { kind: "TooManyConnections", cause: message };
    case "TLS_FAILED":
      return { kind: "TlsConnectionError", reason: message };
    case "PASSWORD_FAILED":
    case "NO_CREDENTIALS":
    case "CREDENTIALS_EXPIRED":
      return { kind: "AuthenticationFailed" };
    case "CONNECTION_LOST":
    case "OUT_OF_STEP":
    case "SESSION_BROKEN":
      return { kind: "ConnectionClosed" };
    case "ABORTED":
    case "TRANSACTION_OVER":
    case "TRANSACTION_FAILED":
      return { kind: "TransactionAlreadyClosed", cause: message };
    case "DECODE_FAILED":
      return { kind: "InconsistentColumnData", cause: message };
    default:
      return undefined;
  }
}
