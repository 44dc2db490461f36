/** What has to be known of the other end of connections, of a pool or of a request. */
export interface PoolTraits {
  /** Whether a pooler stands between this pool and Postgres. */
  readonly pooled: boolean;
  /** Whether a CancelRequest reaches the statement. */
  readonly cancel: boolean;
  /** Whether statements are kept by name. */
  readonly named: boolean;
  /** Whether what stands behind a Sync in the same write arrives: Supavisor in transaction mode answers the Sync, and drops the rest. */
  readonly asksAhead: boolean;
  /** Whether several calls may be on their way on one connection. */
  readonly pipelined: boolean;
  /** Whether its name tells what it is; else a pooler may stand between that nobody told of. */
  readonly known: boolean;
  /** Whether the state of a session can be reset by whoever holds the connection; else it ends with the connection. */
  readonly sessionState: boolean;
  /** Bounds each exchange where the server was not told to; null for no bound of its own. */
  readonly statementTimeoutMs: number | null;
}
