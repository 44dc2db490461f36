import type { Fate } from "../errors/errors.ts";
import type { NoticeEvent, TransportName, Via } from "../transports/transport.ts";
import type { CallFailure } from "./call-failure.ts";

/** A connection was opened, login included. */
export interface ConnectEvent {
  readonly type: "connect";
  readonly transport: TransportName;
  /** As in a result's `via`. */
  readonly connectionId: string;
  readonly durationMs: number;
}

/** A call was served by a connection that had served one before. */
export interface ReuseEvent {
  readonly type: "reuse";
  readonly transport: TransportName;
  readonly connectionId: string;
}

/** A connection is used again after a pause of a second or more, in which the environment may have been frozen. */
export interface ThawEvent {
  readonly type: "thaw";
  readonly connectionId: string;
  /** Since it was used last, by the wall clock. */
  readonly idleMs: number;
}

/** A connection was asked, after a pause, whether it still answers. */
export interface ProbeEvent {
  readonly type: "probe";
  readonly connectionId: string;
  /** `silent`: its replacement was ready sooner. */
  readonly answer: "answered" | "lost" | "silent";
  readonly durationMs: number;
}

/**
 * A connection was thrown away.
 * - `lost`: it broke while nobody used it, or did not answer when it was asked.
 * - `expired`: past its lifetime, or past what the other end keeps open.
 * - `broken`: given back after a failure, a cancelled statement, or with a transaction that could not be ended.
 * - `out-of-step`: the server's answers did not fit what was sent, or a statement began or ended a transaction behind the package's back.
 * - `state`: a session may have left settings, locks and the like on it, and only its end undoes them: there are `connect` listeners, or it is
 *   pinned to its backend.
 */
export interface DiscardEvent {
  readonly type: "discard";
  readonly transport: TransportName;
  readonly connectionId: string;
  readonly reason: "lost" | "expired" | "broken" | "out-of-step" | "state";
}

/** A call is about to be tried again. */
export interface RetryEvent {
  readonly type: "retry";
  /** Of the attempt that failed. */
  readonly code: string;
  readonly fate: Fate;
  /** Which attempt failed, from 1. */
  readonly attempt: number;
  /** How long it waits first. */
  readonly delayMs: number;
}

/** The circuit breaker changed its state. */
export interface BreakerEvent {
  readonly type: "breaker";
  /** Of which calls: `websocket` of those that hold a connection beside SQL over HTTP, else of all. */
  readonly transport: TransportName | "websocket";
  /** `open`: calls are refused at once. `half-open`: one call tries. `closed`: all pass. */
  readonly state: BreakerState;
  /** When the next call may try, milliseconds since the epoch; null when it is closed. */
  readonly until: number | null;
}

/** What the circuit breaker does with calls. */
export type BreakerState = "closed" | "open" | "half-open";

/** A connection is held for longer than `leakThresholdMs`. Told once for each checkout. */
export interface LeakEvent {
  readonly type: "leak";
  readonly connectionId: string;
  readonly heldMs: number;
  /** Where it was taken. */
  readonly stack: string;
}

/** Calls have been waiting for a connection that others use without a pause for a second or more. Told once until nobody waits any more. */
export interface WaitingEvent {
  readonly type: "waiting";
  /** How many wait now. */
  readonly waiting: number;
  /** For how long somebody has been waiting, less the time in which a connection was being opened. */
  readonly forMs: number;
}

/** A statement pins its connection of RDS Proxy to one backend. Told in development, once for each reason. */
export interface PinEvent {
  readonly type: "pin";
  readonly reason: string;
}

/** What can be called on a database and takes time; that of a transaction, a session and a stream is also its caller's. */
export type Operation = "query" | "stream" | "batch" | "transaction" | "session" | "script";

/** A call ended, with all its attempts. Told in the async context of the caller. */
export interface QueryEvent {
  readonly type: "query";
  readonly operation: Operation;
  /** What it was sent in; null for a call on the database itself. */
  readonly within: "transaction" | "session" | null;
  /** The statements' texts, without their values; empty for a transaction, a session and a script. */
  readonly texts: readonly string[];
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Null when it succeeded. */
  readonly failure: CallFailure | null;
  /** How often it was tried. */
  readonly attempts: number;
  /** How the result came; null for a failure, and where there is no result. */
  readonly via: Via | null;
  /** Rows returned or changed, added up over a batch; null where nothing counts any. */
  readonly rowCount: number | null;
  /** Rows returned, likewise; of a stream those that were read. */
  readonly returnedRows: number | null;
}

/** A query or batch took `slowQueryMs` or longer. Its `query` event comes first. */
export interface SlowEvent extends Pick<QueryEvent, "operation" | "within" | "texts" | "startedAt" | "durationMs"> {
  readonly type: "slow";
}

/**
 * What a database tells its subscribers. No event holds a parameter's value or a password. A connection is told of by whatever holds it: a
 * pool, to the subscribers of every database that shares it, a request of Workers, or a session over WebSocket. Unless it says otherwise a
 * time is in milliseconds.
 */
export type DatabaseEvent =
  | ConnectEvent
  | ReuseEvent
  | ThawEvent
  | ProbeEvent
  | DiscardEvent
  | RetryEvent
  | BreakerEvent
  | LeakEvent
  | WaitingEvent
  | PinEvent
  | QueryEvent
  | SlowEvent
  | NoticeEvent;

/** Called for every event, at once and in order. What it throws fails no call: it is told once as a warning. */
export type EventListener = (event: DatabaseEvent) => void;
