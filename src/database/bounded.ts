import { CancelledError, type Fate } from "../errors/errors.ts";
import type { Cancellation } from "../transports/transport.ts";
import type { StatementSession } from "./held-session.ts";

/** Work on a held connection, bounded by its call. */
export interface Bounded<T> {
  /** What the end of the call means when nothing is on its way. */
  readonly fate: () => Exclude<Fate, "applied">;
  /** Called when a statement fails with the end of the call: whoever sent it is told so. */
  readonly onTold?: () => void;
  /**
   * Runs the callback. What it sends passes through `watch`, so that the call ends with a statement that was on its way when it was to end:
   * cancelled, even if its error is swallowed, or done after all.
   */
  readonly work: (watch: <R>(sent: Promise<R>) => Promise<R>) => Promise<T>;
}

/** Runs `work` no further than the call's end: a callback that never returns cannot hold the connection past the deadline. */
export function runBounded<T>(session: StatementSession, cancellation: Cancellation, { fate, onTold, work }: Bounded<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      // what is on its way ends by itself, with the fate its own answer tells
      if (session.busy || cancellation.reason === undefined) return;
      session.destroy();
      reject(cancellation.reason(fate()));
    };
    const stopListening = cancellation.onCancel(end);
    const watch = async <R>(sent: Promise<R>): Promise<R> => {
      try {
        return await sent;
      } catch (error) {
        if (isEndOf(cancellation, error)) {
          onTold?.();
          reject(error);
        }
        throw error;
      } finally {
        end();
      }
    };
    (async () => await work(watch))().then(resolve, reject).finally(stopListening);
  });
}

/** Whether an error is that of the call's own end, by its deadline or signal. */
export function isEndOf({ reason }: Cancellation, error: unknown): boolean {
  return reason !== undefined && error instanceof CancelledError;
}
