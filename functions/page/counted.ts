/** What the server counted of one runtime and transport. */
export interface Counted {
  readonly runtime: string;
  readonly transport: string;
  readonly invocations: number;
  /** Sessions the server itself counted meanwhile. */
  readonly serverSessions: number;
  /** Invocations that were not answered as they should be. */
  readonly failures: number;
  /** Whether that is what was promised; null for a client without warmline, of which nothing is. */
  readonly held: boolean | null;
}
