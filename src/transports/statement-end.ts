import type { Clock } from "./transport.ts";

/** How long a cancelled statement may take to answer before its connection is destroyed, milliseconds. */
const CANCEL_GRACE_MS = 250;

/** A statement that has not answered so long after the request was delivered may have begun only then: it is asked for again, milliseconds. */
const CANCEL_AGAIN_MS = 100;

/** How long what was given up behind others may still be answered, milliseconds: a process that stood still may have the answer, and not have seen it. */
const BEHIND_GRACE_MS = 20;

/** How a session ends what it gives up, where the server can be asked to cancel, and where nobody else bounds a statement. */
export interface StatementEnd {
  /** Asks the server to cancel. Returns what is called when the answer is in. */
  readonly cancel?: ((destroy: () => void) => () => void) | undefined;
  /** Gives up what stands behind others, by `leave`. Returns what is called when the answer is in. */
  readonly leave: (leave: () => void) => () => void;
  /** Begins to watch one exchange. Returns what ends the watch. */
  readonly limit?: ((giveUp: () => void) => () => void) | undefined;
}

/**
 * CancelRequest, a short wait for its answer, then the end of the connection. Destroying first would leave the statement running, and so would
 * a single request that overtakes its statement: a server drops what finds nothing to cancel.
 */
export function statementEnd({
  requestCancel,
  statementTimeoutMs,
  clock,
}: {
  /** Resolves when the request is delivered. Absent where the target knows none. */
  readonly requestCancel: (() => Promise<void>) | undefined;
  /** Bounds one exchange where the server was not told to; null for no bound of its own. */
  readonly statementTimeoutMs: number | null;
  readonly clock: Clock;
}): StatementEnd {
  const after = (ms: number, end: () => void) => {
    const timer = clock.setTimeout(end, ms);
    return () => clock.clearTimeout(timer);
  };
  return {
    cancel:
      requestCancel &&
      ((destroy) => {
        const stopWaiting = after(CANCEL_GRACE_MS, destroy);
        let answered = false;
        const askAgain = () => answered || requestCancel().catch(destroy);
        requestCancel().then(() => answered || after(CANCEL_AGAIN_MS, askAgain), destroy);
        return () => {
          answered = true;
          stopWaiting();
          destroy();
        };
      }),
    leave: (leave) => after(BEHIND_GRACE_MS, leave),
    limit: statementTimeoutMs === null ? undefined : (giveUp) => after(statementTimeoutMs, giveUp),
  };
}
