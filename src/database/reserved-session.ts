/// <reference lib="esnext.disposable" preserve="true" />
import type { DatabaseSession, SessionEnding } from "./session.ts";

/** A connection that is held until it is released: `await using session = await db.session()`. */
export interface ReservedSession extends DatabaseSession, AsyncDisposable {
  /**
   * Gives the connection back, as new, when what is on its way has ended; a transaction that is left open is rolled back. It rejects only where
   * the deadline or signal ended the session and no call on it has said so yet: what it was held for, a lock, may not have held. Its fate is then
   * that of all that was done. A second release does nothing.
   */
  release(): Promise<void>;
}

/** How a session is held: `work` runs on it, and it is released when that has ended. */
type Hold = (
  work: (session: DatabaseSession, ending: SessionEnding) => Promise<void>,
  /** To be called when the request ends, where connections belong to one. */
  onRequestEnd: () => void,
) => Promise<void>;

/** Holds a session without a callback: its callback is what its holder does until the release. */
export function reserve(hold: Hold): Promise<ReservedSession> {
  return new Promise((resolve, reject) => {
    const given = Promise.withResolvers<void>();
    let isReleased = false;
    const held = hold((session, ending) => {
      const release = async () => {
        given.resolve();
        const isFirst = !isReleased;
        isReleased = true;
        await held.catch((error) => {
          if (isFirst && !ending.isTold) throw error;
        });
      };
      resolve(Object.assign(session, { release, [Symbol.asyncDispose]: release }));
      return given.promise;
    }, given.resolve);
    // of one that could not be had; later it changes nothing
    held.catch(reject);
  });
}
