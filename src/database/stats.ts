import type { BreakerState } from "../observe/events.ts";
import type { TransportName, TransportStats } from "../transports/transport.ts";

/**
 * Numbers since the database was made; those of a pool are of the connections of its identity, whichever handle uses them. Who waits is counted
 * for the whole room.
 */
export interface DatabaseStats extends TransportStats {
  /** Null before the first call. */
  readonly transport: TransportName | null;
  /** Calls tried again. */
  readonly retries: number;
  /** Calls on their way. */
  readonly running: number;
  /** `open`: calls are refused at once, one in half a second may try. Of queries, batches and what goes the way they do. */
  readonly breaker: BreakerState;
}

/** What a transport leaves out, and all there is before the first call. */
export const noStats: TransportStats = {
  total: 0,
  idle: 0,
  waiting: 0,
  connects: 0,
  reuses: 0,
  pipelined: 0,
  thaws: 0,
  probes: 0,
  discarded: 0,
  leaks: 0,
};
