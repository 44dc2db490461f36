import type { Database, DatabaseOptions } from "warmline";

/** An ORM, and what it does: the same on every way to the server. */
export interface Orm {
  /** What it works with, as a script, in an empty database. */
  readonly tables: string;
  readonly run: (bench: Bench) => Promise<void>;
  /** Called once, at module scope of a worker, when the tables are there: gives what each of a thousand requests runs. */
  readonly atModuleScope?: (db: Database) => () => Promise<unknown>;
}

/** What a program works with. */
export interface Bench {
  readonly db: Database;
  /** Where the database is, for what goes there by a driver of its own. */
  readonly url: string;
  /** Another handle on the same database, closed when the program has ended. */
  readonly open: (options?: DatabaseOptions) => Database;
  /** Notes a value, which has to be the same on every way, and what is expected of it. */
  readonly check: (title: string, actual: unknown, expected: unknown) => void;
  /**
   * How often `work` waited for its server, of which it makes calls, or opens a session: a session over HTTP is counted at the far end of its
   * WebSocket, where its opening does not count. Run twice, for the first run may open a connection.
   */
  readonly roundTrips: (of: "calls" | "session", work: () => Promise<unknown>) => Promise<number>;
}

/** Where a program is to find its server. */
export interface Place {
  readonly url: string;
  /** How it gets there. */
  readonly transport: "pool" | "http" | "request";
  /** Of SQL over HTTP. */
  readonly endpoint: string;
  /** Tells under `/calls` and `/session` how many round trips there were since it was asked last. */
  readonly counter: string;
}

/** One check, as it went. */
export interface Check {
  readonly title: string;
  /** The value, as text. */
  readonly seen: string;
  /** What it should have been, where it was something else. */
  readonly wanted?: string;
}

/** What a program came to. */
export interface Outcome {
  readonly checks: readonly Check[];
  /** What ended it early. */
  readonly problem?: string;
}

/** What `work` is rejected with; fails where it succeeds. */
export async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("It was to fail, and did not.");
}
