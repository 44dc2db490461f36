import type { Fate } from "../errors/errors.ts";
import type { TransportName } from "../transports/transport.ts";
import type { Operation, QueryEvent } from "./events.ts";

/** What every message of a tracing channel has. The same object goes to all events of one operation; none holds a parameter's value. */
export interface TracingMessage {
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly database: string;
  readonly transport: TransportName;
  /** The connection, as in a result's `via`; null until it is known, and where none is held. */
  readonly connectionId: string | null;
  /**
   * What the operation rejected with, as its caller gets it: what a callback threw itself may hold anything, and so may the `cause` of ABORTED,
   * the reason its signal was given. Only in a message that failed, from `error` on.
   */
  readonly error?: unknown;
  /** Of that error: its `code`, or its name where a callback threw it itself; null while nothing failed. */
  readonly code: string | null;
  /** Null while nothing failed, and for an error that a callback threw itself. */
  readonly fate: Fate | null;
  /** What the server said; null where it said nothing. */
  readonly sqlState: string | null;
  /**
   * Has the operation run inside of `wrap`, for tracers whose context is a function around what it holds for: `context.with`, `scope.activate`.
   * To be called by a subscriber of `start`, which is later than that without effect. One that throws is left out.
   */
  runIn(wrap: (run: () => void) => void): void;
}

/** What the channels of calls have in common. */
interface CallMessage<Operations extends Operation> extends TracingMessage, Pick<QueryEvent, "within"> {
  readonly operation: Operations;
  readonly target: string;
  readonly runtime: string;
  /** Whether the connection had served a call before; null until it is known, and where none is held. */
  readonly reused: boolean | null;
  /** How often it went to the server and back, connecting and the package's own look-up of types aside. 0 until it is known. */
  readonly roundTrips: number;
  /** How often it was tried again. 0 until it is known. */
  readonly retries: number;
}

/** A message of `warmline:query`: a query, a batch, a script, or a stream until its reader leaves; in a transaction or session, too. */
export interface QueryMessage extends CallMessage<"query" | "batch" | "script" | "stream"> {
  /** The statements' texts, without their values; empty for a script. */
  readonly texts: readonly string[];
  /** Rows returned or changed, added up over a batch; null until it is known, and where nothing counts any. */
  readonly rowCount: number | null;
  /** Rows returned, likewise. */
  readonly returnedRows: number | null;
}

/** A message of `warmline:transaction`, which ends with the transaction. Of savepoints none are told. */
export interface TransactionMessage extends CallMessage<"transaction"> {}

/** A message of `warmline:session`, which ends when the session is given back. */
export interface SessionMessage extends CallMessage<"session"> {}

/** A message of `warmline:connect`: a connection is opened, until a statement can be sent on it. */
export interface ConnectMessage extends TracingMessage {}

/**
 * A message of `warmline:acquire`: a call asks for a connection, until it has one. What goes along on a connection that others share asks for none,
 * or, where it waited first, ends with a `connectionId` that is null.
 */
export interface AcquireMessage extends TracingMessage {}

/** A message of the channel `warmline:release`, which is none for tracing: told once, by whom an `acquire` was told. Over a pool alone. */
export interface ReleaseMessage extends Pick<TracingMessage, "serverAddress" | "serverPort" | "database" | "transport"> {
  readonly connectionId: string;
  /** How long the connection was held, milliseconds. */
  readonly usedMs: number;
}

/** The messages by the names of their channels in `node:diagnostics_channel`. */
export interface TracingMessages {
  readonly "warmline:query": QueryMessage;
  readonly "warmline:transaction": TransactionMessage;
  readonly "warmline:session": SessionMessage;
  readonly "warmline:connect": ConnectMessage;
  readonly "warmline:acquire": AcquireMessage;
}
