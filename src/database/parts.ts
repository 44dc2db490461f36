import type { Plan } from "../decide/plan.ts";
import type { DeliveryContext } from "../delivery/deliver.ts";
import type { Audience } from "../observe/audience.ts";
import type { CallTracing } from "../observe/trace-calls.ts";
import type { Transport } from "../transports/transport.ts";
import type { SqlCommenter } from "./commented.ts";
import type { HeldWork } from "./held-work.ts";
import type { Lacking } from "./lacking.ts";
import type { CallbackContext } from "./nesting.ts";
import type { UserTypes } from "./user-types.ts";

/** What a database stands on, once its environment is known. */
export interface Ground {
  readonly plan: Plan;
  /** Refuses what the target has not; absent where it has all, or where nobody reaches it by sockets. */
  readonly lacking?: Lacking | undefined;
  /** Of a call that is told none; Infinity for no deadline. */
  readonly deadlineMs: number;
  /** The same inside a request that says when its calls have to be over. */
  readonly requestDeadlineMs: number;
  /** From when on a query is told as slow; null for never. */
  readonly slowQueryMs: number | null;
  /** Of rows over a socket. */
  readonly maxResponseBytes: number;
  readonly sqlCommenter: SqlCommenter | null;
  readonly types: UserTypes;
  /** Made at the first call; the same one for all. */
  readonly transport: () => Transport | Promise<Transport>;
  /** Where scripts run, when that is another address; made for each, and closed after it. */
  readonly directTransport: (() => Transport | Promise<Transport>) | null;
}

/** What a database is made of; the entry fills it in. */
export interface DatabaseParts {
  /** @throws ConfigError where the environment lacks something; asked again by the next call */
  readonly ground: () => Ground;
  readonly delivery: Pick<DeliveryContext, "clock" | "random">;
  /** Who listens; the transport tells them too. */
  readonly events: Audience;
  /** What runs on a held connection, at once where it is loaded; absent where none can be held. @throws ConnectionError where it is not there */
  readonly heldWork: (() => HeldWork | Promise<HeldWork>) | undefined;
  /** Tells of calls by tracing channels; absent where the runtime has none. */
  readonly tracing?: CallTracing | undefined;
  /** A clock of finer steps than the wall's, milliseconds. */
  readonly stopwatch: () => number;
  /** Knows which callbacks a piece of code runs inside; absent where the runtime has no AsyncLocalStorage. */
  readonly callbacks: CallbackContext | undefined;
  /** Runs work as one request, where connections belong to one; absent elsewhere. */
  readonly scope: (<T>(context: RequestContext, work: () => T) => T) | undefined;
}

/** What a platform hands to the handler of one request. */
export interface RequestContext {
  /** Keeps what belongs to the request alive until the promise settles. */
  waitUntil(promise: Promise<unknown>): void;
  /**
   * When its calls have to be over, milliseconds since the epoch: one that has a longer deadline, or none, ends then with DEADLINE_EXCEEDED. For
   * platforms that end what takes too long; not read where connections belong to requests. Default: nobody says.
   */
  readonly callsEndAt?: number | undefined;
}
