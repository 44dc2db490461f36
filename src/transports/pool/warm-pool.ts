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
const nothing = (): void => {};

/**
 * A `pg.Pool` that bounds waiting and connecting apart, survives the loss of idle and of checked-out connections, and serves its queue
 * in order whatever becomes of a connection given back. What it rejects with is a {@link ConnectionError} with a code.
 */
export class WarmPool extends pg.Pool {
  /** Counts and sessions of this pool's connections. */
  readonly ledger: Ledger = new Ledger();
  readonly #acquireTimeoutMs: number;
  readonly #waiters = new Set<Checkout>();
  #leased = 0;
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
  override connect(callback?: Checkout): Promise<pg.PoolClient> | void {
    if (callback !== undefined) return this.lease(callback);
    return new Promise((resolve, reject) => {
      this.lease((error, client) => (client === undefined ? reject(error) : resolve(client)));
    });
  }

  /**
   * Checks a connection out for `checkout`, which is called exactly once. A cancelled call leaves the queue at once; a connection that
   * comes too late for it goes to the next.
   */
  lease(checkout: Checkout, cancellation?: Cancellation): void {
    if (this.closing) return checkout(closed(), undefined, nothing);
    let open = true;
    let timer: NodeJS.Timeout | undefined;
    let stopListening: (() => void) | undefined;
    const settle: Checkout = (error, client, release) => {
      if (!open) return release();
      open = false;
      this.#waiters.delete(settle);
      if (this.#waiters.size === 0) this.#drained?.();
      clearTimeout(timer);
      stopListening?.();
      checkout(error, client, release);
    };
    const fail = (error: Error) => open && settle(error, undefined, nothing);
    stopListening = cancellation?.onCancel(() => cancellation.reason && fail(cancellation.reason("not-sent")));
    if (!open) return;
    if (this.#leased < this.options.max) return this.#grant(settle);
    this.#waiters.add(settle);
    if (this.#acquireTimeoutMs > 0) timer = setTimeout(() => fail(this.#acquireTimeout()), this.#acquireTimeoutMs);
  }

  /** Whether the pool takes no new work. */
  get closing(): boolean {
    return this.#drained !== undefined;
  }

  /** Ends the pool once everybody in its queue has been served and every connection is given back. New checkouts are refused at once. */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | void {
    if (this.#drained !== undefined) {
      const error = closed();
      return callback === undefined ? Promise.reject(error) : (callback as (error: Error) => void)(error);
    }
    const ended = new Promise<void>((resolve) => {
      this.#drained = resolve;
      if (this.#waiters.size === 0) resolve();
    }).then(() => super.end());
    if (callback === undefined) return ended;
    ended.then(callback, callback);
  }

  #grant(checkout: Checkout): void {
    this.#leased++;
    super.connect((error, client, release) => {
      if (client === undefined) {
        this.#leased--;
        checkout(error, undefined, nothing);
        this.#serveNext();
        return;
      }
      const giveBack: Release = (destroy) => {
        release(destroy);
        this.#leased--;
        this.#serveNext();
      };
      client.release = giveBack;
      checkout(undefined, client, giveBack);
    });
  }

  #serveNext(): void {
    if (this.#leased >= this.options.max) return;
    const [waiter] = this.#waiters;
    if (waiter === undefined) return;
    this.#waiters.delete(waiter);
    this.#grant(waiter);
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
