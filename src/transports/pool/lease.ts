import type pg from "pg";
import { ConnectionError, UsageError } from "../../errors/errors.ts";
import type { Cancellation } from "../transport.ts";
import { asCaller } from "./as-caller.ts";
import { asPg } from "./pg-failure.ts";

/** Gives a connection back; with true or an error it is destroyed. */
export type Release = (destroy?: Error | boolean) => void;
/** pg's own callback of a checkout. */
export type Checkout = (error: Error | undefined, client: pg.PoolClient | undefined, release: Release) => void;
/** Called once, with a lease or the reason why there is none. */
export type Granted = (error: Error | undefined, lease: Lease | undefined) => void;

/** Who asks for a connection. */
export interface Asker {
  /** Called once, maybe at once, with a lease or the reason why there is none. */
  granted(error: Error | undefined, lease: Lease | undefined): void;
  readonly cancellation?: Cancellation | undefined;
  /** The holder asks a connection in doubt by its own first exchange, through `WarmPool.confirm`. Default false: the pool asks by a Sync. */
  readonly asksItself?: boolean;
  /** What it sends first may leave with the login of a new connection. Default false: it is given one whose login is over. */
  readonly early?: boolean | undefined;
  /** Goes along on a connection somebody else holds, if that can be; whether it did, and no lease is needed. */
  along?(): boolean;
  /** Whoever asks may forget to give it back: it is watched. Default false. */
  readonly held?: boolean | undefined;
}

/** A slot of the pool while somebody holds it. Until it is used, the connection in it may be exchanged for another. */
export interface Lease {
  client: pg.PoolClient;
  /** Whether the connection may have died in a pause, and nobody has asked it yet. */
  unasked: boolean;
  /**
   * What its holder may leave behind beside an open transaction: `state` of the session, which is reset before anybody else has it, or
   * `pinned`, which ends with the connection.
   */
  leaves: "nothing" | "state" | "pinned";
  /** Gives the slot back; with true or an error the connection is destroyed. */
  release(destroy?: Error | boolean): void;
  /** pg's own release of the connection: back to its idle ones, or out of the pool. */
  toPool: Release;
  /** Called when it is given back, where somebody watches how long it is held. */
  onEnd?: (() => void) | undefined;
}

/** A connection that is in no lease yet. */
export type Opened = Pick<Lease, "client" | "toPool">;

/** A lease until it is given back, once. */
export class HeldLease implements Lease {
  client: pg.PoolClient;
  toPool: Release;
  unasked = false;
  leaves: Lease["leaves"] = "nothing";
  onEnd: (() => void) | undefined;
  readonly #giveBack: (lease: HeldLease, destroy: Error | boolean | undefined) => void;
  #given = false;

  constructor({ client, toPool }: Opened, giveBack: (lease: HeldLease, destroy: Error | boolean | undefined) => void) {
    this.client = client;
    this.toPool = toPool;
    this.#giveBack = giveBack;
  }

  release(destroy?: Error | boolean): void {
    if (this.#given) throw new UsageError("This client has been given back already. Release it once.", { code: "RELEASED_TWICE" });
    this.#given = true;
    this.onEnd?.();
    this.#giveBack(this, destroy);
  }
}

/**
 * Serves a checkout from a lease, in pg's words; `onUsed` is told once, before the connection is given back. Its release runs as the request that
 * took the connection: pg gives one back from its socket's callbacks, which run as the request that opened it. A connection that is lost takes up no
 * place: whoever holds it may forget it.
 */
export function checkingOut(callback: Checkout, onUsed: (client: pg.PoolClient) => void): Granted {
  return (error, lease) => {
    if (lease === undefined) return callback(asPg(error) as Error, undefined, () => {});
    const { client, onEnd } = lease;
    lease.onEnd = () => {
      onEnd?.();
      onUsed(client);
    };
    let lost = false;
    const lose = () => {
      lost = true;
      lease.release(true);
    };
    client.once("end", lose);
    const release: Release = asCaller()((destroy) => {
      client.off("end", lose);
      if (lost) {
        lost = false;
        return;
      }
      try {
        lease.release(destroy);
      } catch (thrown) {
        throw asPg(thrown);
      }
    });
    client.release = release;
    callback(undefined, client, release);
  };
}

/** Nobody gave a connection back in time. */
export function acquireTimeout(limitMs: number, max: number): ConnectionError {
  return new ConnectionError(
    `No connection was free within ${limitMs} ms (acquireTimeoutMs): all ${max} are in use. Shorten transactions, or raise max if the server has room.`,
    { code: "ACQUIRE_TIMEOUT", fate: "not-sent", retryable: true },
  );
}

/** So many wait already that another could not be served in time. */
export function queueFull(maxWaiting: number): ConnectionError {
  return new ConnectionError(`${maxWaiting} calls wait for a connection (maxWaiting), and no more are taken. Send less at once.`, {
    code: "QUEUE_FULL",
    fate: "not-sent",
    retryable: true,
  });
}

/** A connection was open, and lost before anything was sent on it. */
export function lostAtOnce(): ConnectionError {
  return new ConnectionError("The connection was lost as soon as it was open. Nothing was sent.", {
    code: "CONNECTION_LOST",
    fate: "not-sent",
    retryable: true,
  });
}

/** Use after `end`. */
export function closed(): UsageError {
  return new UsageError("The pool has been closed. Create a new database where work begins again.", { code: "CLOSED" });
}

/** A pool that has been ended is ended again, in pg's words. */
export function endedTwice(): unknown {
  return asPg(closed(), "Called end on pool more than once");
}
