import type pg from "pg";
import { CancelledError, isWarmlineError } from "../../errors/errors.ts";
import type { WireSession } from "../wire-session.ts";
import type { Lease } from "./lease.ts";

/** Sends on a connection; `onAlive` is called at its first sign of life, where that is asked for. */
type Send<T> = (session: WireSession, onAlive?: () => void) => Promise<T>;

/** Gives leases connections that live. */
interface ConfirmingPool {
  /** Asks the connection of a lease by `ask`, and gives the lease another where it does not answer; while `persists` says so, until there is one. */
  confirm(lease: Lease, ask: (client: pg.PoolClient) => Promise<boolean>, persists?: () => boolean): Promise<void>;
}

/** Sends on leases whose connections may have died in a pause. */
export interface SendingInDoubt {
  /**
   * Sends what may be sent again on another connection, and asks the connection in the same write. If it is silent, or lost before its first sign
   * of life, the whole is sent on a fresh one. If that cannot be had, what was written first may still be done.
   */
  askFirst<T>(lease: Lease, send: Send<T>, persists?: () => boolean): Promise<T>;
  /** The same where the connection has not been asked; else it is sent once. */
  sendAsking<T>(lease: Lease, send: Send<T>): Promise<T>;
  /**
   * Sends the first exchange of a callback, which has begun and cannot be begun anew: on a connection that turns out to be lost, when nothing
   * of it stays, it is sent again on another.
   */
  sendFirst<T>(lease: Lease, send: Send<T>, persists: () => boolean): Promise<T>;
}

/** Sends on leases of `pool`, whose connections `sessionOf` gives sessions of. */
export function sendingInDoubt(pool: ConfirmingPool, sessionOf: (client: pg.PoolClient) => WireSession): SendingInDoubt {
  async function askFirst<T>(lease: Lease, send: Send<T>, persists?: () => boolean): Promise<T> {
    const asked = sessionOf(lease.client);
    const { promise: alive, resolve } = Promise.withResolvers<boolean>();
    const first = send(asked, () => resolve(true));
    // before its first sign of life a failure is the connection's own, a farewell of the server too; unless the call was cancelled
    const failure = first.then(
      () => undefined,
      (error) => {
        resolve(error instanceof CancelledError);
        return error;
      },
    );
    try {
      await pool.confirm(lease, () => alive, persists);
      const chosen = sessionOf(lease.client);
      return await (chosen === asked ? first : send(chosen));
    } catch (error) {
      const earlier = isUnsent(error) ? await failure : undefined;
      throw isWarmlineError(earlier) && earlier.fate === "unknown" ? earlier : error;
    }
  }

  return {
    askFirst,
    sendAsking: (lease, send) => (lease.unasked ? askFirst(lease, send) : send(sessionOf(lease.client))),
    async sendFirst(lease, send, persists) {
      if (lease.unasked) return askFirst(lease, send, persists);
      const session = sessionOf(lease.client);
      try {
        return await send(session);
      } catch (error) {
        if (!session.resendable) throw error;
        await pool.confirm(lease, async () => false, persists);
        return send(sessionOf(lease.client));
      }
    },
  };
}

function isUnsent(error: unknown): boolean {
  return isWarmlineError(error) && error.fate === "not-sent";
}
