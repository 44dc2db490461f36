import type { Database } from "warmline";
import type { Counted } from "./counted.ts";

/** What `GET /` shows, on a page, as text or as JSON. */
export interface Overview {
  readonly instanceId: string;
  /** Requests this instance has begun, this one among them. */
  readonly invocation: number;
  readonly runtime: string;
  readonly transport: string;
  /** Why this transport, in the plan's words. */
  readonly why: string;
  /** What this request's own statement came over, and what the server counts; null where the database does not answer. */
  readonly database: DatabaseCounts | null;
  /** The numbers of `db.stats()`; null where statistics ask for a token. */
  readonly stats: ReturnType<Database["stats"]> | null;
  readonly routes: readonly Route[];
  /** What was proved beside this application, where that is known. */
  readonly proof: Proof | null;
}

/** The server's side of a request. */
export interface DatabaseCounts {
  readonly backendPid: number;
  /** As in `X-Connection-Id` and `X-Connection-Reused`. */
  readonly connectionId: string;
  readonly connectionReused: boolean | string;
  /** Sessions begun in this database since it was made (pg_stat_database.sessions), and those open now. */
  readonly sessions: number;
  readonly open: number;
}

/** A route as the description of the API has it. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
}

/** The rows of a proof, as far as it has come. */
export interface Proof {
  readonly rows: readonly Counted[];
  readonly isRunning: boolean;
}
