import pg from "pg";
import { ConnectionError, UsageError } from "../../errors/errors.ts";
import type { Cancellation } from "../transport.ts";
import { Ledger } from "./ledger.ts";
import { WarmClient } from "./warm-client.ts";

/** pg's pool options, with waiting and connecting bounded apart. */
export interface WarmPoolConfig extends Omit<pg.PoolConfig, "connectionTimeoutMillis" | "Client"> {
  /** Bounds waiting for a free connection, milliseconds; 0 for no bound. Default 5000. */
  readonly acquireTimeoutMillis?: number;
  /** Bounds opening a connection, login included, milliseconds; 0 for no bound. Default 5000. */
  readonly connectTimeoutMillis?: number;
}

type Release = (destroy?: Error | boolean) => void;
type Checkout = (error: Error | undefined, client: pg.PoolClient | undefined, release: Release) => void;

const DEFAULT_TIMEOUT_MS = 5_000;

/** How long the ROLLBACK of a connection left in a transaction may take before the connection is destroyed instead, milliseconds. */
const CLEANING_LIMIT_MS = 1_000;
const nothing = (): void => {};

/**
 * A `pg.Pool` that bounds waiting and connecting apart, survives the loss of idle and of checked-out connections, and serves its queue
 * in order whatever becomes of a connection given back. What it rejects with is a {@link ConnectionError} with a code.
 */
export class WarmPool extends pg.Pool {
  /** Counts and sessions of this pool's connections. */
  readonly ledger: Ledger = new Ledger();
  readonly #acquireTimeoutMs: number;
  /** Those in the queue, each with the timer that bounds its wait. */
  readonly #waiters = new Map<Checkout, NodeJS.Timeout | undefined>();
  #leased = 0;
  /** Checkouts on their way through pg's pool, which forgets them when it is ended meanwhile. */
  #granting = 0;
  #drained: (() => void) | undefined;

  constructor(config: WarmPoolConfig = {}) {
    const { acquireTimeoutMillis = DEFAULT_TIMEOUT_MS, connectTimeoutMillis = DEFAULT_TIMEOUT_MS, ...options } = config;
    super({ ...options, connectionTimeoutMillis: 0, connectTimeoutMillis, Client: WarmClient } as object);
    this.#acquireTimeoutMs = acquireTimeoutMillis;
    this.on("error", () => this.ledger.discarded++);
    this.on("connect", (client) => {
      this.ledger.connects++;
      client.on("error", nothing);
    });
  }

  static {
    Object.defineProperty(WarmPool.prototype, "waitingCount", {
      get(this: WarmPool) {
        return this.#waiters.size;
      },
    });
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: Release) => void): void;
  override connect(callback?: Checkout): Promise<pg.PoolClient> | undefined {
    if (callback !== undefined) {
      this.lease(callback);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.lease((error, client) => (client === undefined ? reject(error) : resolve(client)));
    });
  }

  /**
   * Checks a connection out for `checkout`, which is called exactly once. A cancelled call leaves the queue at once; a connection that
   * comes too late for it goes to the next.
   */
  lease(checkout: Checkout, cancellation?: Cancellation): void {
    if (this.closing) {
      checkout(closed(), undefined, nothing);
      return;
    }
    let open = true;
    let stopListening: (() => void) | undefined;
    const settle: Checkout = (error, client, release) => {
      if (!open) return release();
      open = false;
      this.#leaveQueue(settle);
      stopListening?.();
      checkout(error, client, release);
    };
    const fail = (error: Error) => open && settle(error, undefined, nothing);
    stopListening = cancellation?.onCancel(() => cancellation.reason && fail(cancellation.reason("not-sent")));
    if (!open) return;
    if (this.#leased < this.options.max) {
      this.#grant(settle);
      return;
    }
    const limitMs = this.#acquireTimeoutMs;
    this.#waiters.set(settle, limitMs > 0 ? setTimeout(() => fail(this.#acquireTimeout()), limitMs) : undefined);
  }

  /** Whether the pool takes no new work. */
  get closing(): boolean {
    return this.#drained !== undefined;
  }

  /** Ends the pool once everybody in its queue has been served and every connection is given back. New checkouts are refused at once. */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | undefined {
    if (this.#drained !== undefined) {
      if (callback === undefined) return Promise.reject(closed());
      (callback as (error: Error) => void)(closed());
      return undefined;
    }
    const ended = new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#noteDrained();
    }).then(() => super.end());
    if (callback === undefined) return ended;
    ended.then(callback, callback);
    return undefined;
  }

  #grant(checkout: Checkout): void {
    this.#leased++;
    this.#granting++;
    super.connect((error, client, release) => {
      this.#granting--;
      if (client === undefined) {
        this.#leased--;
        checkout(error, undefined, nothing);
        this.#serveNext();
      } else {
        const giveBack = this.#giveBack(client, release);
        client.release = giveBack;
        checkout(undefined, client, giveBack);
      }
      this.#noteDrained();
    });
  }

  /** Gives `client` back: a transaction left open on it is rolled back before anybody else gets it. */
  #giveBack(client: pg.PoolClient, release: Release): Release {
    let given = false;
    const finish = (destroy: Error | boolean | undefined) => {
      // a goodbye is never answered on a swallowed connection, and its socket would stay open for good
      if (destroy) destroySocket(client);
      release(destroy);
      this.#leased--;
      this.#serveNext();
    };
    return (destroy) => {
      if (given) throw new UsageError("This client has been given back already. Release it once.", { code: "RELEASED_TWICE" });
      given = true;
      if (destroy || !leftBusy(client)) finish(destroy);
      else
        rollBack(client).then((failed) => {
          if (failed) this.ledger.discarded++;
          finish(failed);
        });
    };
  }

  #serveNext(): void {
    if (this.#leased >= this.options.max) return;
    const [waiter] = this.#waiters.keys();
    if (waiter === undefined) return;
    clearTimeout(this.#waiters.get(waiter));
    this.#waiters.delete(waiter);
    this.#grant(waiter);
  }

  #leaveQueue(waiter: Checkout): void {
    clearTimeout(this.#waiters.get(waiter));
    if (this.#waiters.delete(waiter)) this.#noteDrained();
  }

  #noteDrained(): void {
    if (this.#waiters.size === 0 && this.#granting === 0) this.#drained?.();
  }

  #acquireTimeout(): ConnectionError {
    return new ConnectionError(
      `No connection was free within ${this.#acquireTimeoutMs} ms (acquireTimeoutMs): all ${this.options.max} are in use. Shorten transactions, or raise max if the server has room.`,
      { code: "ACQUIRE_TIMEOUT", fate: "not-sent", retryable: true },
    );
  }
}

function closed(): UsageError {
  return new UsageError("The pool has been closed. Create a new database where work begins again.", { code: "CLOSED" });
}

/** Whether a transaction is open on a client, or a statement of its last holder still runs. */
function leftBusy(client: pg.PoolClient): boolean {
  const status = client.getTransactionStatus();
  return status === "T" || status === "E" || (status !== null && !(client as unknown as { readonly readyForQuery: boolean }).readyForQuery);
}

/** Ends what was left open; resolves with whether the client has to be destroyed. */
async function rollBack(client: pg.PoolClient): Promise<boolean> {
  const limit = setTimeout(() => destroySocket(client), CLEANING_LIMIT_MS);
  try {
    await client.query("ROLLBACK");
    return client.getTransactionStatus() !== "I";
  } catch {
    return true;
  } finally {
    clearTimeout(limit);
  }
}

function destroySocket(client: pg.PoolClient): void {
  (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream.destroy();
}
