/** What a pooler in between can make of an error, see {@link fateOfSqlState}. */
export interface SqlStateContext {
  /** Whether a pooler stands between this client and Postgres: its own 58xxx and XXxxx say nothing about the statement. */
  readonly pooled: boolean;
  /** Whether a command of this exchange had completed before the error came. */
  readonly completed: boolean;
  /** The severity, not localised (`V`): ERROR, FATAL or PANIC. */
  readonly severity: string | undefined;
}

/**
 * The fate a server's own refusal tells. `refused` promises that nothing stays done, so everything that could also come from a broken link
 * behind a pooler, or from a crash after a commit, is `unknown`.
 */
export function fateOfSqlState(sqlState: string, context: SqlStateContext): "refused" | "unknown" {
  if (sqlState.startsWith("08") || sqlState === "57P02") return "unknown";
  if (context.pooled && (sqlState.startsWith("58") || sqlState.startsWith("XX"))) return "unknown";
  return context.completed && endsConnection(context.severity) ? "unknown" : "refused";
}

/** Whether the server closes the connection after an error of this severity. */
export function endsConnection(severity: string | undefined): boolean {
  return severity === "FATAL" || severity === "PANIC";
}

/** A conflict between transactions that the same work, run again whole, may survive: serialization failure and deadlock. */
export function isTransactionConflict(sqlState: string): boolean {
  return sqlState === "40001" || sqlState === "40P01";
}

/**
 * A login the server would refuse again: authorization, unknown database, rights, protocol, settings. The rest of 08xxx is said by what stands
 * before a server that cannot be reached now.
 */
export function isPermanentLoginFailure(sqlState: string): boolean {
  return /^(08P|0A|22|28|3D|42)/.test(sqlState);
}

/** 53300: no connection slot is free. Frozen neighbours keep theirs, so asking for long does not help. */
export const TOO_MANY_CONNECTIONS = "53300";
/** 57014: the statement was cancelled on request. */
export const QUERY_CANCELED = "57014";
/** 25006: a write in a read-only transaction, or on a server that has become a replica. */
export const READ_ONLY_TRANSACTION = "25006";
