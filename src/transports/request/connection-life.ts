import type { Audience } from "../../observe/audience.ts";
import type { DiscardEvent } from "../../observe/events.ts";
import type { TransportStats } from "../transport.ts";

/** What became of the connections of all requests: numbers, and words for those who listen. */
export interface ConnectionLife {
  readonly counts: Readonly<Pick<TransportStats, "connects" | "reuses" | "pipelined" | "discarded">>;
  readonly opened: (connectionId: string, durationMs: number) => void;
  /** A call was served by a connection that had served one before. */
  readonly reused: (connectionId: string) => void;
  /** A call was written behind others. */
  readonly pipelined: () => void;
  readonly discarded: (connectionId: string, reason: DiscardEvent["reason"]) => void;
}

/** Counts from 0, and tells each as it is counted. */
export function connectionLife(events: Audience): ConnectionLife {
  const counts = { connects: 0, reuses: 0, pipelined: 0, discarded: 0 };
  return {
    counts,
    opened(connectionId, durationMs) {
      counts.connects++;
      if (events.size > 0) events.tell({ type: "connect", transport: "request", connectionId, durationMs });
    },
    reused(connectionId) {
      counts.reuses++;
      if (events.size > 0) events.tell({ type: "reuse", transport: "request", connectionId });
    },
    pipelined() {
      counts.pipelined++;
    },
    discarded(connectionId, reason) {
      counts.discarded++;
      if (events.size > 0) events.tell({ type: "discard", transport: "request", connectionId, reason });
    },
  };
}
