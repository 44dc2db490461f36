import type pg from "pg";
import { UsageError } from "../../errors/errors.ts";
import { isOutOfStep } from "../../wire/out-of-step.ts";
import { Checkouts } from "./checkouts.ts";
import { type Cleaning, Cleanings } from "./cleaning.ts";
import { askBySync, destroySocket, leftBusy, looksDead } from "./client-state.ts";
import { afterTwoTicks, judge, TRUST_MS } from "./freshness.ts";
import { LeakWatch } from "./leaks.ts";
import { closed, type Granted, type Lease, type LeaseOptions, type Opened } from "./lease.ts";
import { LeasedPool } from "./leased-pool.ts";
import { clientsOf, openConnection, openEarly, type Taken, takeIdle } from "./pg-pool.ts";
import { PoolState } from "./pool-state.ts";
import { answerOrReplacement } from "./probe.ts";
import { Room } from "./room.ts";
import { Tenancy } from "./tenancy.ts";
import { WarmClient } from "./warm-client.ts";
import { DEFAULT_MAX_WAITING, DEFAULT_TIMEOUT_MS, type WarmPoolConfig } from "./warm-pool-config.ts";

export type { WarmPoolConfig } from "./warm-pool-config.ts";

const nothing = (): void => {};

/** Listeners for new connections that the pool itself has. */
const OWN_LISTENERS = 1;

/**
 * A `pg.Pool` whose connections are fresh when they are handed out, that bounds waiting and connecting apart, survives the loss of idle and
 * of checked-out connections, and serves its queue in order whatever becomes of a connection given back. What it rejects with is a
 * `ConnectionError` with a code. `query` and `connect` mean what pg's do: no statement is refused, and what a client set stays on its connection.
 */
export class WarmPool extends LeasedPool {
  /** Counts and sessions of this pool's connections. */
  readonly state: PoolState = new PoolState();
  readonly #serverIdleMs: number | null;
  readonly #now: () => number;
  readonly #room: Room;
  readonly #tenancy: Tenancy;
  readonly #checkouts: Checkouts;
  readonly #cleanings: Cleanings;

  constructor(config: WarmPoolConfig = {}) {
    const {
      acquireTimeoutMillis: acquireTimeoutMs = DEFAULT_TIMEOUT_MS,
      connectTimeoutMillis: connectTimeoutMs = DEFAULT_TIMEOUT_MS,
      maxWaiting = DEFAULT_MAX_WAITING,
      leakThresholdMillis: leakThresholdMs = null,
      warn = nothing,
      freshness: { serverIdleMs, lifetimeMs } = { serverIdleMs: null, lifetimeMs: 0 },
      now = () => Date.now(),
      random = () => Math.random(),
      room: shared,
      ...options
    } = config;
    super({ ...options, connectionTimeoutMillis: 0, Client: WarmClient } as object);
    const { state } = this;
    const { max, min = 0, idleTimeoutMillis } = this.options as typeof this.options & { readonly min?: number };
    const idleTimeoutMs = idleTimeoutMillis ?? 0;
    const own = { max, min, idleTimeoutMs, lifetimeMs, acquireTimeoutMs, connectTimeoutMs, maxWaiting, leakThresholdMs };
    const room = shared ?? new Room(own, { now, warn });
    const leaks = new LeakWatch({ thresholdMs: () => room.limits.leakThresholdMs, now, report: state.leakReporter(warn) });
    this.#room = room;
    this.#tenancy = new Tenancy(this, room);
    this.#checkouts = new Checkouts({ room, leaks, state, supply: (done, options) => this.#supply(done, options) });
    this.#serverIdleMs = serverIdleMs;
    this.#now = now;
    this.#cleanings = new Cleanings(now);
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
        return this.#room.waiting;
      },
    });
  }

  /**
   * Checks a connection out for `granted`, which is called exactly once. A cancelled call leaves the queue at once; a connection that comes
   * too late for it goes to the next.
   */
  override lease(granted: Granted, options: LeaseOptions = {}): void {
    this.#cleanings.endLate();
    this.#checkouts.lease(granted, options);
  }

  /** Whether every connection there may be is held, and nobody waits for one yet. */
  get isCrowded(): boolean {
    return this.#room.queue.full && this.#room.waiting === 0;
  }

  /** Lets those who wait go along with others, as long as the next one can. */
  callAlong(): void {
    if (this.#room.waiting > 0) this.#room.queue.callAlong();
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
        connectTimeoutMs: this.#room.limits.connectTimeoutMs,
        persists,
        openBeside: (opened) => openConnection(this, opened),
        giveSurplus: (surplus) => this.#giveSurplus(surplus),
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
    await this.#cleanings.settled();
    await this.#tenancy.endIdle();
  }

  /** Whether the pool takes no new work. */
  get closing(): boolean {
    return this.#checkouts.closed;
  }

  /**
   * Ends the pool once everybody in its queue has been served and every connection is given back. New checkouts are refused at once. Resolves
   * when the server has closed the last connection, or a second after it was told to.
   */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | undefined {
    if (this.closing) {
      if (callback === undefined) return Promise.reject(closed());
      (callback as (error: Error) => void)(closed());
      return undefined;
    }
    const ended = this.#checkouts.close().then(async () => {
      const ending = super.end();
      // nobody waits any more for what is still connecting
      for (const client of clientsOf(this)) {
        if (!this.state.lives.has(client) && !(client as unknown as WarmClient).isEarly) destroySocket(client);
      }
      await ending;
      await this.#tenancy.gone();
      this.#room.leave(this.#tenancy);
    });
    if (callback === undefined) return ended;
    ended.then(callback, callback);
    return undefined;
  }

  #supply(done: Granted, options: LeaseOptions): void {
    this.#obtain(options, (error, lease) => {
      if (lease === undefined || !lease.unasked || options.asksItself) return done(error, lease);
      this.confirm(lease, askBySync).then(
        () => done(undefined, lease),
        (failure) => done(failure, undefined),
      );
    });
  }

  /** A connection of pg's pool: a new one, or one that was used a moment ago, or one that looks alive and has to be asked. */
  #obtain(options: LeaseOptions, done: Granted): void {
    const judged: Taken = (error, opened) => {
      if (opened === undefined) return done(error, undefined);
      const { client } = opened;
      const lease = this.#leaseOf(opened);
      const { state } = this;
      const obtainAnother = () => {
        this.#findDead(lease);
        this.#obtain(options, done);
      };
      if (looksDead(client)) return obtainAnother();
      const life = state.lives.get(client);
      const now = this.#now();
      const limits = { serverIdleMs: this.#serverIdleMs, lifetimeMs: this.#room.limits.lifetimeMs };
      const verdict = life === undefined ? "use" : judge(life, limits, { now, suspectSince: state.suspectSince });
      if (verdict === "use") return done(undefined, lease);
      const idleMs = life === undefined ? 0 : now - life.usedAt;
      if (idleMs >= TRUST_MS) state.noteThaw(client, idleMs);
      if (verdict === "replace") {
        this.#discard(lease, "expired");
        return this.#obtain(options, done);
      }
      afterTwoTicks(() => {
        if (looksDead(client)) return obtainAnother();
        lease.unasked = true;
        done(undefined, lease);
      });
    };
    this.#room.open(this.#tenancy, () => this.#take(options, judged));
  }

  /** An idle connection, at once, or else a new one. */
  #take({ early, cancellation }: LeaseOptions, taken: Taken): void {
    if (this.ending) taken(closed(), undefined);
    else if (this.idleCount > 0) takeIdle(this, taken);
    else if (!early) openConnection(this, taken);
    // what makes new connections ready has to be there before any statement
    else openEarly(this, taken, () => cancellation?.reason === undefined && this.#onConnect === undefined && !this.#isShown);
  }

  #leaseOf({ client, toPool }: Opened): Lease {
    let given = false;
    const finish = (destroy: Error | boolean | undefined, reason = destroy && this.state.breachOf(lease.client)) => {
      const life = this.state.lives.get(lease.client);
      if (life !== undefined && !lease.unasked) life.usedAt = this.#now();
      if (reason && life !== undefined && lease.toPool !== nothing) this.state.noteDiscard(lease.client, reason);
      // else it says goodbye, for nothing is wrong with it
      if (destroy && reason !== "state") destroySocket(lease.client);
      lease.toPool(destroy);
      this.#room.noteWaiting();
      this.#room.free();
    };
    const lease: Lease = {
      client,
      toPool,
      unasked: false,
      leaves: "nothing",
      release: (destroy) => {
        if (given) throw new UsageError("This client has been given back already. Release it once.", { code: "RELEASED_TWICE" });
        given = true;
        lease.onEnd?.();
        const { client, leaves } = lease;
        // what is not open yet is nobody's to wait for
        if (destroy || !this.state.lives.has(client)) finish(destroy || true);
        else if (leaves === "pinned" || (leaves === "state" && this.#isShown)) finish(true, "state");
        else if (leaves === "nothing" && !leftBusy(client)) finish(false);
        else this.#cleanings.begin(client, { resets: leaves === "state", onConnect: this.#onConnect }, finish);
      },
    };
    client.release = lease.release;
    return lease;
  }

  /** Whether somebody else's listener is shown new connections: what it did to one nobody can do again, and no reset may undo. */
  get #isShown(): boolean {
    return this.listenerCount("connect") > OWN_LISTENERS;
  }

  get #onConnect(): Cleaning["onConnect"] {
    return (this.options as typeof this.options & Pick<Cleaning, "onConnect">).onConnect;
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

  /** The silent one answered after all: the pool keeps the new one only if there is room. */
  #giveSurplus({ client, toPool }: Opened): void {
    const surplus = this.#room.full;
    if (surplus) destroySocket(client);
    toPool(surplus);
  }
}
