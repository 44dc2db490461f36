import type { DeliveryContext } from "../delivery/deliver.ts";
import type { OwnWork } from "../delivery/own-work.ts";
import type { WarmlineError } from "../errors/errors.ts";
import type { Operation } from "../observe/events.ts";
import type { Called } from "../observe/observe-call.ts";
import type { TracedCall } from "../observe/trace-calls.ts";
import type { CallOptions, Statement, Transport } from "../transports/transport.ts";
import type { HeldSession } from "./held-session.ts";
import type { HeldWork } from "./held-work.ts";
import type { Inside } from "./nesting.ts";

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

/** Work on a held connection. */
export interface Holding<T> {
  readonly operation: "transaction" | "session" | "stream";
  /** What is told of it as its own; absent where each is told by itself. */
  readonly statements?: Statement;
  /** Runs the caller's callback `inside`, where calls on the database itself are refused. */
  readonly use: (held: HeldSession, work: HeldWork, inside: Inside) => Promise<T>;
  readonly again: (error: WarmlineError, number: number) => boolean;
  /** Called when the request ends, where connections belong to one. */
  readonly onRequestEnd?: () => void;
}
