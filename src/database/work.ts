import type { Breaker } from "../delivery/breaker.ts";
import type { mayRepeat } from "../delivery/retry.ts";
import type { WarmlineError } from "../errors/errors.ts";
import type { Operation } from "../observe/events.ts";
import type { Called } from "../observe/observe-call.ts";
import type { CallOptions, Session, Transport } from "../transports/transport.ts";

/** What is done in one call. */
export interface Call<T> {
  /** Absent for what is not told: warming up. */
  readonly operation?: Operation;
  readonly statements?: Called["statements"];
  readonly work: (transport: Transport, options: CallOptions) => Promise<T>;
  /** What keeps it from a dead server, where that is another than the database's own. */
  readonly breaker?: Breaker | null;
  /** Whether a failed attempt may be followed by another. Default: by its fate and the call's claims. */
  readonly repeat?: typeof mayRepeat;
}

/** Work on a held connection. */
export interface Holding<T> {
  readonly operation: "transaction" | "session";
  readonly use: (session: Session, call: CallOptions) => Promise<T>;
  readonly again: (error: WarmlineError, number: number) => boolean;
}
