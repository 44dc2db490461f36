/** Whether the server closes the connection after an error of this severity. */
export function endsConnection(severity: string | undefined): boolean {
  return severity === "FATAL" || severity === "PANIC";
}

/**
 * A conflict between transactions that the same work, run again whole, may survive: serialization failure and deadlock; and what Aurora DSQL calls
 * its own, over data (OC000) and over the schema (OC001), which come as 40001 as well.
 */
export function isTransactionConflict(sqlState: string): boolean {
  return /^(40001|40P01|OC00[01])$/.test(sqlState);
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
/** 53400: of a login, that there were too many just now (Aurora DSQL: 100 a second, after a burst of 1,000). */
export const TOO_MANY_LOGINS = "53400";
/** 57014: the statement was cancelled on request. */
export const QUERY_CANCELED = "57014";
/** 25006: a write in a read-only transaction, or on a server that has become a replica. */
export const READ_ONLY_TRANSACTION = "25006";
