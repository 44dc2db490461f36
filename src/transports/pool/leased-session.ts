import type { Session } from "../transport.ts";
import type { WireSession } from "../wire-session.ts";

/** What a session of the pool stands on. */
export interface SessionGround {
  /** The connection the lease holds now. */
  readonly current: () => WireSession;
  /** Sends on it, or on the one that takes its place if it turns out to be dead. */
  readonly send: <T>(send: (session: WireSession, onAlive?: () => void) => Promise<T>) => Promise<T>;
  /** Told before anything is sent that may leave state of the session behind. */
  readonly onState: () => void;
}

/** A session, and the end of everything sent on it, awaited by its caller or not. */
export interface LeasedSession extends Session {
  readonly settled: () => Promise<void>;
}

/** A session over a lease: until its first exchange is answered, the connection below may be exchanged for another. */
export function leasedSession({ current, send, onState }: SessionGround): LeasedSession {
  let first: Promise<unknown> | undefined;
  let last: Promise<unknown> | undefined;
  const track = <T>(answer: Promise<T>): Promise<T> => {
    last = answer.catch(() => {});
    first ??= last;
    return answer;
  };
  return {
    get via() {
      return current().via;
    },
    get status() {
      return current().status;
    },
    get busy() {
      return current().busy;
    },
    exchange(statements, options) {
      if (options.leavesState) onState();
      if (first === undefined) return track(send((session, onAlive) => session.exchange(statements, { ...options, onAlive })));
      return track(first.then(() => current().exchange(statements, options)));
    },
    script(text, options) {
      if (options.leavesState) onState();
      return track(current().script(text, options));
    },
    async settled() {
      await last;
    },
    destroy: () => current().destroy(),
  };
}
