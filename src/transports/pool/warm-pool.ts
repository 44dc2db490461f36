import { AsyncResource } from "node:async_hooks";
import pg from "pg";
import { UsageError } from "../../errors/errors.ts";
import { askBySync, destroySocket, leftBusy, looksDead, rollBack } from "./client-state.ts";
import { afterTwoTicks, type FreshnessLimits, judge } from "./freshness.ts";
import { acquireTimeout, type Checkout, closed, type Granted, type Lease, type LeaseOptions, type Opened, type Release } from "./lease.ts";
import { Ledger } from "./ledger.ts";
import { answerOrReplacement } from "./replacing.ts";
import { type Place, Slots } from "./slots.ts";
import { WarmClient } from "./warm-client.ts";

/** pg's pool options, with waiting and connecting bounded apart, and what is known of a connection's life. */
export interface WarmPoolConfig extends Omit<pg.PoolConfig, "connectionTimeoutMillis" | "maxLifetimeSeconds" | "Client"> {
  /** Bounds waiting for a free connection, milliseconds; 0 for no bound. Default 5000. */
  readonly acquireTimeoutMillis?: number;
  /** Bounds opening a connection, login included, milliseconds; 0 for no bound. Default 5000. */
  readonly connectTimeoutMillis?: number;
  /** Told what the password function gave, when the server refused it at login (28000, 28P01). */
  readonly onPasswordRefused?: (password: string) => void;
  /** When a connection is replaced without being asked. Default: never. */
  readonly freshness?: FreshnessLimits;
  /** The wall clock and chance. Default: the process'. */
  readonly now?: () => number;
  readonly random?: () => number;
}

const DEFAULT_TIMEOUT_MS = 5_000;

/** How long a goodbye may take, milliseconds: a swallowed connection never takes it. */
const GOODBYE_LIMIT_MS = 1_000;

const nothing = (): void => {};

/**
 * A `pg.Pool` whose connections are fresh when they are handed out, that bounds waiting and connecting apart, survives the loss of idle and
 * of checked-out connections, and serves its queue in order whatever becomes of a connection given back. What it rejects with is a
 * `ConnectionError` with a code.
 */
export class WarmPool extends pg.Pool {
  /** Counts and sessions of this pool's connections. */
  readonly ledger: Ledger = new Ledger();
  readonly #acquireTimeoutMs: number;
  readonly #connectTimeoutMs: number;
  readonly #freshness: FreshnessLimits;
  readonly #now: () => number;
  readonly #slots: Slots;

  constructor(config: WarmPoolConfig = {}) {
    const {
      acquireTimeoutMillis = DEFAULT_TIMEOUT_MS,
      connectTimeoutMillis = DEFAULT_TIMEOUT_MS,
      freshness = { serverIdleMs: null, lifetimeMs: 0 },
      now = () => Date.now(),
      random = () => Math.random(),
      ...options
    } = config;
    super({ ...options, connectionTimeoutMillis: 0, connectTimeoutMillis, Client: WarmClient } as object);
    this.#slots = new Slots(this.options.max);
    this.#acquireTimeoutMs = acquireTimeoutMillis;
    this.#connectTimeoutMs = connectTimeoutMillis;
    this.#freshness = freshness;
    this.#now = now;
    this.on("error", () => {
      this.ledger.discarded++;
      this.ledger.suspectSince = now();
    });
    this.on("connect", (client) => {
      this.ledger.connects++;
      this.ledger.lives.set(client, { connectedAt: now(), usedAt: now(), jitter: random() });
      client.on("error", nothing);
    });
  }

  static {
    Object.defineProperty(WarmPool.prototype, "waitingCount", {
      get(this: WarmPool) {
        return this.#slots.waiting;
      },
    });
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: Release) => void): void;
  override connect(callback?: Checkout): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.connect((error, client) => (client === undefined ? reject(error) : resolve(client)));
      });
    }
    this.lease((error, lease) => {
      if (lease === undefined) return callback(error, undefined, nothing);
      // pg gives a connection back from its socket's callbacks, which run as the request that opened it
      const release: Release = AsyncResource.bind(lease.release);
      lease.client.release = release;
      callback(undefined, lease.client, release);
    });
    return undefined;
  }

  /**
   * Checks a connection out for `granted`, which is called exactly once. A cancelled call leaves the queue at once; a connection that comes
   * too late for it goes to the next.
   */
  lease(granted: Granted, { cancellation, asksItself = false }: LeaseOptions = {}): void {
    if (this.closing) {
      granted(closed(), undefined);
      return;
    }
    let open = true;
    let place: Place | undefined;
    let stopListening: (() => void) | undefined;
    const settle: Granted = (error, lease) => {
      if (!open) return lease?.release();
      open = false;
      place?.leave();
      stopListening?.();
      granted(error, lease);
    };
    const fail = (error: Error) => open && settle(error, undefined);
    stopListening = cancellation?.onCancel(() => cancellation.reason && fail(cancellation.reason("not-sent")));
    if (!open) return;
    const enter = () => this.#grant(settle, asksItself);
    // whoever waits is let in by another request's release, and must not run as that request
    place = this.#slots.take(this.#slots.full ? AsyncResource.bind(enter) : enter, {
      limitMs: this.#acquireTimeoutMs,
      late: () => fail(acquireTimeout(this.#acquireTimeoutMs, this.options.max)),
    });
  }

  /**
   * Asks the connection of a lease whether it lives. One that is lost is replaced; one that is silent gets a replacement opened beside it,
   * and whichever answers first is the lease's from then on.
   */
  async confirm(lease: Lease, ask: (client: pg.PoolClient) => Promise<boolean>): Promise<void> {
    lease.unasked = false;
    this.ledger.probes++;
    try {
      const fresh = await answerOrReplacement({
        client: lease.client,
        answer: ask(lease.client),
        connectTimeoutMs: this.#connectTimeoutMs,
        openBeside: (opened) => this.#openBeside(opened),
        giveSurplus: (surplus) => this.#giveSurplus(surplus),
      });
      if (fresh === undefined) return;
      this.#findDead(lease);
      this.#put(lease, fresh);
    } catch (error) {
      this.#findDead(lease);
      throw error;
    }
  }

  /** Ends the connections nobody holds; the next checkout opens one. Resolves when the server has been told, or cannot be. */
  async endIdle(): Promise<void> {
    await Promise.all(Array.from({ length: this.idleCount }, () => this.#endOneIdle()));
  }

  /** Whether the pool takes no new work. */
  get closing(): boolean {
    return this.#slots.closed;
  }

  /** Ends the pool once everybody in its queue has been served and every connection is given back. New checkouts are refused at once. */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | undefined {
    if (this.closing) {
      if (callback === undefined) return Promise.reject(closed());
      (callback as (error: Error) => void)(closed());
      return undefined;
    }
    const ended = this.#slots.close().then(() => super.end());
    if (callback === undefined) return ended;
    ended.then(callback, callback);
    return undefined;
  }

  #endOneIdle(): Promise<void> {
    return new Promise((resolve) => {
      super.connect((_error, client, release) => {
        if (client === undefined) return resolve();
        const limit = setTimeout(() => destroySocket(client), GOODBYE_LIMIT_MS);
        client.once("end", () => {
          clearTimeout(limit);
          resolve();
        });
        release(true);
      });
    });
  }

  #grant(granted: Granted, asksItself: boolean): void {
    const done: Granted = (error, lease) => {
      granted(error, lease);
      this.#slots.entered(lease !== undefined);
    };
    this.#obtain((error, lease) => {
      if (lease === undefined || !lease.unasked || asksItself) return done(error, lease);
      this.confirm(lease, askBySync).then(
        () => done(undefined, lease),
        (failure) => done(failure, undefined),
      );
    });
  }

  /** A connection of pg's pool: a new one, or one that was used a moment ago, or one that looks alive and has to be asked. */
  #obtain(done: Granted): void {
    super.connect((error, client, release) => {
      if (client === undefined) return done(error, undefined);
      const lease = this.#leaseOf(client, release);
      const { ledger } = this;
      const life = ledger.lives.get(client);
      const verdict = life === undefined ? "use" : judge(life, this.#freshness, { now: this.#now(), suspectSince: ledger.suspectSince });
      if (verdict === "use") return done(undefined, lease);
      if (verdict === "replace") {
        this.#discard(lease);
        return this.#obtain(done);
      }
      afterTwoTicks(() => {
        if (looksDead(client)) {
          this.#findDead(lease);
          return this.#obtain(done);
        }
        lease.unasked = true;
        done(undefined, lease);
      });
    });
  }

  #leaseOf(client: pg.PoolClient, toPool: Release): Lease {
    let given = false;
    const finish = (destroy: Error | boolean | undefined) => {
      const life = this.ledger.lives.get(lease.client);
      if (life !== undefined && !lease.unasked) life.usedAt = this.#now();
      if (destroy && lease.toPool !== nothing) this.ledger.discarded++;
      if (destroy) destroySocket(lease.client);
      lease.toPool(destroy);
      this.#slots.free();
    };
    const lease: Lease = {
      client,
      toPool,
      unasked: false,
      release: (destroy) => {
        if (given) throw new UsageError("This client has been given back already. Release it once.", { code: "RELEASED_TWICE" });
        given = true;
        if (destroy || !leftBusy(lease.client)) finish(destroy);
        else rollBack(lease.client).then(finish);
      },
    };
    client.release = lease.release;
    return lease;
  }

  #put(lease: Lease, { client, toPool }: Opened): void {
    client.release = lease.release;
    Object.assign(lease, { client, toPool });
  }

  /** Destroys the connection in a lease; its slot stays with the lease. */
  #discard(lease: Lease): void {
    this.ledger.discarded++;
    destroySocket(lease.client);
    lease.toPool(true);
    lease.toPool = nothing;
  }

  /** What died may not have died alone: every connection used before is asked next time. */
  #findDead(lease: Lease): void {
    this.ledger.suspectSince = this.#now();
    this.#discard(lease);
  }

  /** A connection beside those the pool may have: it takes the place of one that is silent. */
  #openBeside(opened: (error: Error | undefined, fresh: Opened | undefined) => void): void {
    const pool = this as unknown as { newClient(pending: { callback: Checkout }): void };
    pool.newClient({
      callback: (error, client, toPool) => opened(error, client && { client, toPool }),
    });
  }

  /** The silent one answered after all: the pool keeps the new one only if there is room. */
  #giveSurplus({ client, toPool }: Opened): void {
    const surplus = this.totalCount > this.options.max;
    if (surplus) destroySocket(client);
    toPool(surplus);
  }
}
