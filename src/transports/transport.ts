/// <reference lib="esnext.disposable" preserve="true" />
import type { WarmlineError } from "../errors/errors.ts";
import type { TransactionStatus } from "../errors/fate.ts";

/** How statements reach the server. `http` opens its sessions over WebSocket. */
export type TransportName = "http" | "pool" | "request";

/** One statement as it leaves: text with `$1 …`, and parameters in Postgres' text format. */
export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
  /** What its rows go through where they are handed over; nothing to a transport. */
  readonly check?: CheckRows | undefined;
  /** A comment that leaves behind the text. It is another for every call: nothing is known by it, and what has one is sent without a name. */
  readonly comment?: string;
}

/** Checks rows, and puts in their places what becomes of them. @throws DecodeError ROW_MISMATCH, SCHEMA_FAILED */
export type CheckRows = (
  rows: unknown[],
  told: {
    readonly fields: readonly Field[];
    /** Gives 0 to 1. */
    readonly random: () => number;
    /** How many rows of the same result came before; default 0. */
    readonly from?: number | undefined;
  },
) => void;

/** A column of a result, named as in pg. */
export interface Field {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: string;
}

/** How a result came. */
export interface Via {
  readonly transport: TransportName;
  /** The connection it came over, unique within this process; null where none is held (HTTP). */
  readonly connectionId: string | null;
  /** Whether that connection had served a call before; null where none is held. */
  readonly reused: boolean | null;
  /** How often the statement was tried, 1 when the first attempt succeeded. */
  readonly attempts: number;
  /** It was written behind other calls on its connection, before they were answered. */
  readonly pipelined?: true;
  /** The rows are the caller's own: the database could not be asked. Then `attempts` is 0. */
  readonly fallback?: true;
}

/** What a statement gave. The same shape, values and types on every transport. */
export interface Result<Row = Record<string, unknown>> {
  readonly rows: Row[];
  /** Rows returned or changed; null for commands that count none, and for an empty statement. */
  readonly rowCount: number | null;
  /** The first word of the command tag, `SELECT`, `INSERT` …; null for an empty statement. */
  readonly command: string | null;
  /** Frozen: results may share them. */
  readonly fields: readonly Field[];
  readonly via: Via;
}

/** Parsers by type id, in pg-types' own form, so that every driver can be handed the same. */
export interface ParserSet {
  getTypeParser(typeId: number, format?: "text" | "binary"): (text: string) => unknown;
}

/** What a transaction sees of others, in SQL's own words. */
export type Isolation = "read uncommitted" | "read committed" | "repeatable read" | "serializable";

/** How a transaction begins. Unset means the server's own default. */
export interface TransactionMode {
  readonly isolation?: Isolation | undefined;
  readonly readOnly?: boolean | undefined;
  /** Only with `serializable` and `readOnly`: waits for a snapshot that cannot fail. */
  readonly deferrable?: boolean | undefined;
}

/**
 * The end of one call, over all its attempts: a deadline, and the caller's signal. One timer serves both the queue, the connect and the
 * statement.
 */
export interface Cancellation {
  /** Wall clock, milliseconds since the epoch; Infinity for none. */
  readonly deadlineAt: number;
  /** Set once the call has ended early: a function that makes its error with the fate the driver knows. */
  readonly reason: ((fate: "not-sent" | "refused" | "unknown") => WarmlineError) | undefined;
  /** Calls `listener` once if the call ends early, at once if it has. Returns a function that takes the listener off. */
  onCancel(listener: () => void): () => void;
  /** The same as an AbortSignal, for fetch; made on first use. */
  signal(): AbortSignal;
}

/** The clock and timers everything runs on: passed in by the entry. Times are milliseconds. */
export interface Clock {
  /** The wall clock: timers and the monotonic clock may sleep in a frozen environment. */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/**
 * The server said something beside the answer to a call of this database: a NOTICE, a WARNING, what RAISE in a function says. Told when it is read,
 * before the call ends. Of queries and batches over HTTP none are: no answer there holds any.
 */
export interface NoticeEvent {
  readonly type: "notice";
  readonly transport: TransportName;
  readonly connectionId: string | null;
  /** `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, whatever the server's language. */
  readonly severity: string;
  /** The SQLSTATE; `00000` where there is nothing to tell. */
  readonly code: string;
  /** Of Postgres' sources, which said it; `exec_stmt_raise` for RAISE in PL/pgSQL. */
  readonly routine: string | null;
  /**
   * Without the values of parameters, by the rules of an error's message. What a function said is its author's own text, and may hold what it has
   * read: there it is not enumerable, so that it is in no log that does not ask for it.
   */
  readonly message: string;
  /** The statement the server was at, without its values; null in a script. */
  readonly text: string | null;
}

export interface CallOptions {
  readonly cancellation: Cancellation;
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
  /** Enforced by the server: READ ONLY travels in the same write. */
  readonly readOnly: boolean;
  /** The caller's claim that doing it twice does no harm. */
  readonly idempotent: boolean;
  /** Puts what is sent under settings: sent behind BEGIN, in the same write, for the transaction alone. Its answer is nobody's. */
  readonly settings?: Statement | undefined;
  /** Most bytes of rows that are read over a socket; default no limit. Over HTTP the transport has its own, of the whole answer. */
  readonly maxResponseBytes?: number | undefined;
  /** `bypass`: the answer must not come from a cache on the way. */
  readonly cache?: "bypass" | undefined;
  /** Which attempt this is, from 1; told on in `via`. */
  readonly attempt: number;
  /** Told of notices; absent where nobody listens. Over HTTP none come. */
  readonly onNotice?: ((notice: NoticeEvent) => void) | undefined;
}

/** What statements may do to the connection they are sent on. */
interface LeavingState {
  /**
   * Whether they may leave behind what outlives their transaction: settings, locks, temporary objects. Then the connection is cleaned before
   * anybody else has it. Default false.
   */
  readonly leavesState?: boolean | undefined;
}

export interface BatchOptions extends CallOptions, LeavingState {
  readonly mode: TransactionMode;
}

/**
 * How an exchange must leave the connection; anything else is out of step.
 * - `autocommit`: one statement outside of a transaction, with none open behind it.
 * - `open`: inside a transaction, which stays open; after a failure it can only be rolled back.
 * - `commit`: ends the transaction it stands in, or holds, by the COMMIT at its end.
 * - `rollback`: ends the transaction, and nothing of it stays.
 * - `free`: the caller's own control of transactions may be in it.
 */
export type ExchangeEnd = "autocommit" | "open" | "commit" | "rollback" | "free";

/** A connection held for one caller. One exchange at a time; a second one waits for the first. */
export interface Session {
  readonly via: Via;
  /** What the server said last: no transaction, one open, or one that failed and only can be rolled back. */
  readonly status: TransactionStatus;
  /** Whether an exchange is on its way. */
  readonly busy: boolean;
  /** Sends statements with a single Sync in one write, and gives a result for each. */
  exchange(statements: readonly Statement[], options: ExchangeCall): Promise<Result[]>;
  /** Runs a text of several statements by the simple protocol. Results are not returned. */
  script(text: string, options: CallOptions & LeavingState): Promise<void>;
  /** Ends the connection without a word. */
  destroy(): void;
}

/** How a session is held. */
export interface SessionCall extends CallOptions {
  /** It begins a transaction: its first exchange may be sent again on another connection, for nothing of it stays before COMMIT. */
  readonly begins: boolean;
  /** Called when the request ends in which it is held, where connections belong to one: what nobody gives back would keep it alive. */
  readonly onRequestEnd?: (() => void) | undefined;
}

/** Where a statement keeps its place among its rows while its transaction is open, so that they can be asked for in parts. */
export interface Portal {
  /** Unique in its transaction. */
  readonly name: string;
  /** Most rows that one exchange brings. A part of so many, with a `command` that is null, is not the last. */
  readonly limit: number;
  /** Whether the statement was sent before, and this is for its next rows. */
  readonly isOpen: boolean;
}

/** How one exchange of a session is sent. */
export interface ExchangeCall extends CallOptions, LeavingState {
  /** The last of the statements gives its rows in parts; default all at once. */
  readonly portal?: Portal | undefined;
  /** Portals that are closed first, by their names; those that are gone are none. Default: none. */
  readonly closes?: readonly string[] | undefined;
  /** Default `autocommit`. */
  readonly ends?: ExchangeEnd;
  /** It is sent in an open transaction or not at all: where its BEGIN was refused it would stand alone, and stay. @throws UsageError TRANSACTION_OVER */
  readonly follows?: boolean;
  /** How many statements stand before the caller's own (BEGIN, SAVEPOINT); default 0. */
  readonly prelude?: number;
  /** Asks the connection in the same write whether it lives, and is called at its first sign of life. */
  readonly onAlive?: (() => void) | undefined;
}

/** Numbers of one transport since it was made. */
export interface TransportStats {
  /** Connections there are now. Over HTTP on Node: those to the endpoint, which all databases of the process share; elsewhere over HTTP 0. */
  readonly total: number;
  /** Those of them that nobody uses. */
  readonly idle: number;
  /** Calls that wait for one; of a pool, with those of every handle that shares its room. */
  readonly waiting: number;
  /** Connections opened, over HTTP: sessions opened over WebSocket. */
  readonly connects: number;
  /** Calls served by a connection that had served one before. */
  readonly reuses: number;
  /** Calls written behind others on their connection, before those were answered. */
  readonly pipelined: number;
  /** Connections used again after a pause of a second or more. */
  readonly thaws: number;
  /** Connections asked, after a pause, whether they still answer. */
  readonly probes: number;
  /** Connections thrown away because they were lost, failed or left in an unknown state. */
  readonly discarded: number;
  /** Connections held for longer than `leakThresholdMs`. */
  readonly leaks: number;
}

/**
 * What a driver is to the rest. Every rejection is a WarmlineError with a fate. A driver never retries, logs, or reads the environment or a
 * clock it was not given.
 */
export interface Transport extends AsyncDisposable {
  readonly name: TransportName;
  readonly can: { readonly session: boolean; readonly cancel: boolean };
  /** One round trip on a warm connection. */
  query(statement: Statement, options: CallOptions): Promise<Result>;
  /** One transaction, one round trip on a warm connection; a result for each statement. */
  batch(statements: readonly Statement[], options: BatchOptions): Promise<Result[]>;
  /** Holds a connection while `use` runs; gives it back clean, or destroys it. */
  session<T>(use: (session: Session) => Promise<T>, options: SessionCall): Promise<T>;
  /** Opens a connection if none is open. */
  warmUp(options: CallOptions): Promise<void>;
  /** Ends the connections nobody holds; the next call opens one. */
  release(): Promise<void>;
  /** What is left out is 0. */
  stats(): Partial<TransportStats>;
}
