import { AsyncResource } from "node:async_hooks";
import pg from "pg";
import { UsageError } from "../../errors/errors.ts";
import { isOutOfStep } from "../strict-answers.ts";
import { CheckoutQueue, type Turn } from "./checkout-queue.ts";
import { askBySync, destroySocket, leftBusy, looksDead, rollBack } from "./client-state.ts";
import { afterTwoTicks, type FreshnessLimits, judge, TRUST_MS } from "./freshness.ts";
import { LeakWatch } from "./leaks.ts";
import {
  acquireTimeout,
  type Checkout,
  checkingOut,
  closed,
  type Granted,
  type Lease,
  type LeaseOptions,
  type Opened,
  queueFull,
  type Release,
} from "./lease.ts";
import { clientsOf, endOneIdle, giveSurplus, openBeside } from "./pg-pool.ts";
import { PoolState } from "./pool-state.ts";
import { answerOrReplacement } from "./probe.ts";
import { WaitingWatch } from "./waiting.ts";
import { WarmClient } from "./warm-client.ts";
import { DEFAULT_MAX_WAITING, DEFAULT_TIMEOUT_MS, type WarmPoolConfig } from "./warm-pool-config.ts";

export type { WarmPoolConfig } from "./warm-pool-config.ts";

const nothing = (): void => {};

/**
 * A `pg.Pool` whose connections are fresh when they are handed out, that bounds waiting and connecting apart, survives the loss of idle and
 * of checked-out connections, and serves its queue in order whatever becomes of a connection given back. What it rejects with is a
 * `ConnectionError` with a code.
 */
export class WarmPool extends pg.Pool {
  /** Counts and sessions of this pool's connections. */
  readonly state: PoolState = new PoolState();
  readonly #acquireTimeoutMs: number;
  readonly #connectTimeoutMs: number;
  readonly #freshness: FreshnessLimits;
  readonly #now: () => number;
  readonly #maxWaiting: number;
  readonly #queue: CheckoutQueue;
  readonly #waiting: WaitingWatch;
  readonly #leaks: LeakWatch | undefined;
  /** Set while a query of the pool's own takes its connection, which it gives back by itself. */
  #querying = false;

  constructor(config: WarmPoolConfig = {}) {
    const {
      acquireTimeoutMillis = DEFAULT_TIMEOUT_MS,
      connectTimeoutMillis = DEFAULT_TIMEOUT_MS,
      maxWaiting = DEFAULT_MAX_WAITING,
      leakThresholdMillis: thresholdMs = null,
      warn = nothing,
      freshness = { serverIdleMs: null, lifetimeMs: 0 },
      now = () => Date.now(),
      random = () => Math.random(),
      ...options
    } = config;
    super({ ...options, connectionTimeoutMillis: 0, connectTimeoutMillis, Client: WarmClient } as object);
    const { state } = this;
    this.#maxWaiting = maxWaiting;
    this.#queue = new CheckoutQueue(this.options.max, maxWaiting);
    this.#waiting = new WaitingWatch({ now, report: state.waitingReporter(warn) });
    this.#leaks = thresholdMs === null ? undefined : new LeakWatch({ thresholdMs, now, report: state.leakReporter(warn) });
    this.#acquireTimeoutMs = acquireTimeoutMillis;
    this.#connectTimeoutMs = connectTimeoutMillis;
    this.#freshness = freshness;
    this.#now = now;
    this.on("error", (error, client) => {
      state.noteDiscard(client as pg.PoolClient, isOutOfStep(error) ? "out-of-step" : "lost");
      state.suspectSince = now();
    });
    this.on("connect", (client) => {
      const { openedInMs: durationMs } = client as unknown as WarmClient;
      state.noteConnect(client, { connectedAt: now(), jitter: random(), durationMs });
      client.on("error", nothing);
    });
  }

  static {
    Object.defineProperty(WarmPool.prototype, "waitingCount", {
      get(this: WarmPool) {
        return this.#queue.waiting;
      },
    });
    // the class this one extends, which pg.Pool no longer is where somebody put this one in its place
    const inherited: pg.Pool = Object.getPrototypeOf(WarmPool.prototype);
    WarmPool.prototype.query = function query(this: WarmPool, ...args: readonly unknown[]) {
      this.#querying = true;
      try {
        return Reflect.apply(inherited.query, this, args);
      } finally {
        this.#querying = false;
      }
    } as pg.Pool["query"];
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: Release) => void): void;
  override connect(callback?: Checkout): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.connect((error, client) => (client === undefined ? reject(error) : resolve(client)));
      });
    }
    this.lease(checkingOut(callback), { held: !this.#querying });
    return undefined;
  }

  /**
   * Checks a connection out for `granted`, which is called exactly once. A cancelled call leaves the queue at once; a connection that comes
   * too late for it goes to the next.
   */
  lease(granted: Granted, { cancellation, asksItself = false, held = false }: LeaseOptions = {}): void {
    if (this.closing) {
      granted(closed(), undefined);
      return;
    }
    this.#leaks?.check();
    const watch = held ? this.#leaks?.takenHere() : undefined;
    let open = true;
    let turn: Turn | undefined;
    let stopListening: (() => void) | undefined;
    const settle: Granted = (error, lease) => {
      if (!open) return lease?.release();
      open = false;
      turn?.leave();
      stopListening?.();
      if (lease !== undefined) lease.onEnd = watch?.(() => this.state.idOf(lease.client));
      granted(error, lease);
    };
    const fail = (error: Error) => open && settle(error, undefined);
    stopListening = cancellation?.onCancel(() => cancellation.reason && fail(cancellation.reason("not-sent")));
    if (!open) return;
    this.#waiting.note(this.#queue.waiting);
    const enter = (own: Turn) => this.#grant(settle, { asksItself, turn: own });
    turn = this.#queue.take({
      // whoever waits is let in by another request's release, and must not run as that request
      enter: this.#queue.full ? AsyncResource.bind(enter) : enter,
      late: () => fail(acquireTimeout(this.#acquireTimeoutMs, this.options.max)),
      limitMs: this.#acquireTimeoutMs,
      full: () => fail(queueFull(this.#maxWaiting)),
    });
  }

  /**
   * Asks the connection of a lease whether it lives. One that is lost is replaced; one that is silent gets a replacement opened beside it,
   * and whichever answers first is the lease's from then on. While `persists` says so, a replacement that cannot be opened is tried again.
   */
  async confirm(lease: Lease, ask: (client: pg.PoolClient) => Promise<boolean>, persists?: () => boolean): Promise<void> {
    lease.unasked = false;
    const probed = this.state.noteProbe(lease.client);
    try {
      const fresh = await answerOrReplacement({
        client: lease.client,
        answer: ask(lease.client).then(probed.answer),
        connectTimeoutMs: this.#connectTimeoutMs,
        persists,
        openBeside: (opened) => openBeside(this, opened),
        giveSurplus: (surplus) => giveSurplus(this, surplus),
      });
      if (fresh === undefined) return;
      this.#findDead(lease);
      this.#put(lease, fresh);
    } catch (error) {
      this.#findDead(lease);
      throw error;
    } finally {
      probed.tell();
    }
  }

  /** Ends the connections nobody holds; the next checkout opens one. Resolves when the server has been told, or cannot be. */
  async endIdle(): Promise<void> {
    await Promise.all(Array.from({ length: this.idleCount }, () => endOneIdle((taken) => super.connect(taken))));
  }

  /** Whether the pool takes no new work. */
  get closing(): boolean {
    return this.#queue.closed;
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
    const ended = this.#queue.close().then(() => {
      const ending = super.end();
      // nobody waits any more for what is still connecting
      for (const client of clientsOf(this)) if (!this.state.lives.has(client)) destroySocket(client);
      return ending;
    });
    if (callback === undefined) return ended;
    ended.then(callback, callback);
    return undefined;
  }

  #grant(granted: Granted, { asksItself, turn }: { readonly asksItself: boolean; readonly turn: Turn }): void {
    const done: Granted = (error, lease) => {
      granted(error, lease);
      turn.entered(lease !== undefined);
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
      const { state } = this;
      const obtainAnother = () => {
        this.#findDead(lease);
        this.#obtain(done);
      };
      if (looksDead(client)) return obtainAnother();
      const life = state.lives.get(client);
      const now = this.#now();
      const verdict = life === undefined ? "use" : judge(life, this.#freshness, { now, suspectSince: state.suspectSince });
      if (verdict === "use") return done(undefined, lease);
      const idleMs = life === undefined ? 0 : now - life.usedAt;
      if (idleMs >= TRUST_MS) state.noteThaw(client, idleMs);
      if (verdict === "replace") {
        this.#discard(lease, "expired");
        return this.#obtain(done);
      }
      afterTwoTicks(() => {
        if (looksDead(client)) return obtainAnother();
        lease.unasked = true;
        done(undefined, lease);
      });
    });
  }

  #leaseOf(client: pg.PoolClient, toPool: Release): Lease {
    let given = false;
    const finish = (destroy: Error | boolean | undefined) => {
      const life = this.state.lives.get(lease.client);
      if (life !== undefined && !lease.unasked) life.usedAt = this.#now();
      if (destroy && lease.toPool !== nothing) this.state.noteDiscard(lease.client, this.state.breachOf(lease.client));
      if (destroy) destroySocket(lease.client);
      lease.toPool(destroy);
      if (this.#queue.waiting > 0) this.#waiting.note(this.#queue.waiting);
      this.#queue.free();
    };
    const lease: Lease = {
      client,
      toPool,
      unasked: false,
      release: (destroy) => {
        if (given) throw new UsageError("This client has been given back already. Release it once.", { code: "RELEASED_TWICE" });
        given = true;
        lease.onEnd?.();
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
  #discard(lease: Lease, reason: "lost" | "expired"): void {
    this.state.noteDiscard(lease.client, reason);
    destroySocket(lease.client);
    lease.toPool(true);
    lease.toPool = nothing;
  }

  /** What died may not have died alone: every connection used before is asked next time. */
  #findDead(lease: Lease): void {
    this.state.suspectSince = this.#now();
    this.#discard(lease, "lost");
  }
}
