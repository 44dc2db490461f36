import type { DeliveryContext } from "../delivery/deliver.ts";
import type { OwnWork } from "../delivery/own-work.ts";
import type { WarmlineError } from "../errors/errors.ts";
import type { Operation } from "../observe/events.ts";
import type { Called } from "../observe/observe-call.ts";
import type { TracedCall } from "../observe/trace-calls.ts";
import type { CallOptions, Statement, Transport } from "../transports/transport.ts";
import type { QueryOptions } from "./options.ts";

/** How a call is bounded, and what is claimed of it. */
export interface Limits extends Omit<QueryOptions, "fallback"> {
  /** What its transaction is put under. */
  readonly settings?: Statement | undefined;
}

/** What is done in one call. */
export interface Call<T> {
  /** Absent for what is not told: warming up. */
  readonly operation?: Operation;
  readonly statements?: Called["statements"];
  readonly work: (transport: Transport, options: CallOptions, traced?: TracedCall) => Promise<T>;
  /** What keeps it from a dead server, and from storming it, where that is another than the database's own. */
  readonly elsewhere?: () => Pick<DeliveryContext, "breaker" | "budget"> | undefined;
  /** What an attempt learned of its own, where a callback runs in it that others' errors pass through. */
  readonly own?: () => OwnWork | undefined;
  /** Whether a failed attempt may be followed by another. Default: by its fate and the call's claims. */
  readonly repeat?: (error: WarmlineError, attempt: number) => boolean;
}
