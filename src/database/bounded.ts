import { CancelledError, type Fate } from "../errors/errors.ts";
import type { Cancellation, Session } from "../transports/transport.ts";

/** Work on a held connection, bounded by its call. */
export interface Bounded<T> {
  /** What the end of the call means when nothing is on its way. */
  readonly fate: () => Exclude<Fate, "applied">;
  /** Runs the callback. What it sends passes through `watch`, so that a cancelled statement ends the call even if its error is swallowed. */
  readonly work: (watch: <R>(sent: Promise<R>) => Promise<R>) => Promise<T>;
}

/** Runs `work` no further than the call's end: a callback that never returns cannot hold the connection past the deadline. */
export function runBounded<T>(session: Session, cancellation: Cancellation, { fate, work }: Bounded<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = cancellation.onCancel(() => {
      // what is on its way ends by itself, with the fate its own answer tells
      if (session.busy || cancellation.reason === undefined) return;
      session.destroy();
      reject(cancellation.reason(fate()));
    });
    const watch = <R>(sent: Promise<R>): Promise<R> =>
      sent.catch((error: unknown) => {
        if (error instanceof CancelledError) reject(error);
        throw error;
      });
    (async () => await work(watch))().then(resolve, reject).finally(stopListening);
  });
}
