import type { DatabaseEvent } from "./watched.ts";

/** How a call came to its connection. `none`: no connection is held. */
type Reuse = "warm" | "thaw" | "new" | "none";

/** Something to be drawn: its letter, the connection it belongs to, when it began (milliseconds since the epoch), and what else it needs. */
export type Mark =
  | readonly [kind: "q", connectionId: string | null, at: number, durationMs: number, reuse: Reuse]
  | readonly [kind: "f", connectionId: null, at: number, durationMs: number, code: string, fate: string | null]
  | readonly [kind: "c", connectionId: string, at: number, durationMs: number]
  | readonly [kind: "t", connectionId: string, at: number, idleMs: number]
  | readonly [kind: "p", connectionId: string, at: number, durationMs: number, answer: string]
  | readonly [kind: "d", connectionId: string, at: number, reason: string]
  | readonly [kind: "r", connectionId: null, at: number, code: string]
  | readonly [kind: "s", connectionId: null, at: number, label: string, forMs: number]
  | readonly [kind: "b", connectionId: null, at: number, state: string];

/** Connections that thawed and have not answered a call since; more are forgotten. */
const MOST_THAWED = 1_000;

/** Turns events into marks, in their order; null for what is counted and not drawn. */
export function makeMarker(): (event: DatabaseEvent, at: number) => Mark | null {
  const thawed = new Set<string>();
  return (event, at) => {
    switch (event.type) {
      case "query":
        return markOfCall(event, thawed);
      case "connect":
        return ["c", event.connectionId, at - event.durationMs, rounded(event.durationMs)];
      case "thaw":
        if (thawed.size >= MOST_THAWED) thawed.clear();
        thawed.add(event.connectionId);
        return ["t", event.connectionId, at, Math.round(event.idleMs)];
      case "probe":
        return ["p", event.connectionId, at - event.durationMs, rounded(event.durationMs), event.answer];
      case "discard":
        thawed.delete(event.connectionId);
        return ["d", event.connectionId, at, event.reason];
      case "retry":
        return ["r", null, at, event.code];
      case "breaker":
        return ["b", null, at, event.state];
      default:
        return null;
    }
  };
}

function markOfCall(event: Extract<DatabaseEvent, { type: "query" }>, thawed: Set<string>): Mark | null {
  const { via, failure, startedAt, durationMs, texts } = event;
  if (failure !== null) return ["f", null, startedAt, rounded(durationMs), failure.code, failure.fate];
  // of a transaction its statements are drawn
  if (via === null || texts.length === 0) return null;
  const { connectionId, reused } = via;
  const reuse = connectionId === null ? "none" : thawed.delete(connectionId) ? "thaw" : reused === false ? "new" : "warm";
  return ["q", connectionId, startedAt, rounded(durationMs), reuse];
}

/** To hundredths: what is finer is not to be seen. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
