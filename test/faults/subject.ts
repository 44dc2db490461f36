import type { Database, DatabaseOptions, QueryOptions } from "../../src/entry/node.ts";
import type { sharedPool } from "../../src/entry/pool.ts";
import type { Way } from "./fault.ts";

/** What a contender's process is told of its database. It travels as JSON. */
export interface SubjectConfig {
  readonly way: Way;
  /** Over the network, user and password included. */
  readonly url: string;
  /** Of SQL over HTTP, over the network; there on `http` and `websocket`. */
  readonly endpoint: string | null;
  readonly applicationName: string;
  /** Warmline's settings. A bare driver takes `max` of them. */
  readonly options: DatabaseOptions;
}

/** A write of one row. */
export interface Write {
  readonly id: string;
  /** Number of an advisory lock it waits for, so that it is caught on its way. */
  readonly lock?: number | undefined;
}

/** A connection that its caller has to give back. */
export interface Held {
  release(): void;
}

/** When a call is given up. */
export interface Bounds {
  readonly deadlineMs?: number;
  readonly signal: AbortSignal;
  /** Whether a COMMIT follows the write. */
  readonly inTransaction: boolean;
}

/** A statement in words, with what warmline is told about it; a bare driver knows nothing of that. */
export interface Said {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly options?: Pick<QueryOptions, "deadlineMs" | "attemptTimeoutMs" | "signal" | "readOnly" | "idempotent">;
}

/** A client of the database: warmline's, or a bare driver as its documentation shows it. */
export interface Subject {
  /** One write by itself: autocommit; over `websocket` in a transaction, for only there it is used. */
  write(write: Write): Promise<void>;
  /**
   * Several writes in one transaction; over `http` a batch, to which `before` does not apply. `before` runs inside it, ahead of each write but the
   * first. What it throws, the transaction throws.
   */
  transaction(writes: readonly Write[], before?: () => void | Promise<void>): Promise<void>;
  /** Begins a transaction's write and does not wait for it: the transaction's work is over at once. */
  unawaited(write: Write): Promise<void>;
  /** Takes a connection out of the pool; absent where there is none to take. */
  hold?(): Promise<Held>;
  /** A write that is given up at its own deadline or by its signal; a bare driver, which knows neither, writes as ever. */
  bounded(write: Write, bounds: Bounds): Promise<void>;
  /** One statement by itself; over `websocket` in a session, for only there it is used. */
  say(said: Said): Promise<void>;
  /** A text of several statements. Absent where there is no session. */
  script?(said: Omit<Said, "values">): Promise<void>;
  read(): Promise<void>;
  /** A statement that takes so long, milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Ends its connections. */
  close(): Promise<void>;
  /** Runs work as one request, on the way `request`; elsewhere only runs it. */
  request<T>(work: () => Promise<T>): Promise<T>;
  /** Another client of the same database, changed by `options`, that shares nothing with this one. */
  again(options?: DatabaseOptions): Promise<Subject>;
  /** A `sharedPool` of warmline's over the same connections. Absent where there is none. */
  share?(): ReturnType<typeof sharedPool>;
  /** Warmline's own handle; bare drivers have none. */
  readonly database?: Database;
}

/** Makes a contender's client; nothing is connected yet. */
export type OpenSubject = (config: SubjectConfig) => Promise<Subject>;

/** A write as a bare driver sends it. */
export function writeStatement({ id, lock }: Write): { readonly text: string; readonly values: unknown[] } {
  if (lock === undefined) return { text: "insert into fault_writes (id) values ($1)", values: [id] };
  const text = "insert into fault_writes (id) select $1::text from (select pg_advisory_xact_lock_shared($2::int)) as waited";
  return { text, values: [id, lock] };
}
