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
import type { PgAnswer } from "./pg-call.ts";
import { clientsOf, openConnection, type Taken, takeIdle } from "./pg-pool.ts";
import { PgQueries } from "./pg-queries.ts";
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
  readonly #queries: PgQueries;

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
      traits,
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
    this.#checkouts = new Checkouts({ room, leaks, state, supply: (done, asksItself) => this.#supply(done, asksItself) });
    this.#serverIdleMs = serverIdleMs;
    this.#now = now;
    this.#cleanings = new Cleanings(now);
    this.#queries = new PgQueries(this, traits);
    this.on("error", (error, client) => {
      state.noteDiscard(client as pg.PoolClient, isOutOfStep(error) ? "out-of-step" : "lost");
      state.suspectSince = now();
    });
    this.on("connect", (client) => {
      const opened = client as unknown as WarmClient;
      opened.queries = this.#queries;
      const { openedInMs: durationMs } = opened;
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

  override answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined {
    return this.#queries.answer(config, values);
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
      for (const client of clientsOf(this)) if (!this.state.lives.has(client)) destroySocket(client);
      await ending;
      await this.#tenancy.gone();
      this.#room.leave(this.#tenancy);
    });
    if (callback === undefined) return ended;
    ended.then(callback, callback);
    return undefined;
  }

  #supply(done: Granted, asksItself: boolean): void {
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
    const judged: Taken = (error, opened) => {
      if (opened === undefined) return done(error, undefined);
      const { client } = opened;
      const lease = this.#leaseOf(opened);
      const { state } = this;
      const obtainAnother = () => {
        this.#findDead(lease);
        this.#obtain(done);
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
        return this.#obtain(done);
      }
      afterTwoTicks(() => {
        if (looksDead(client)) return obtainAnother();
        lease.unasked = true;
        done(undefined, lease);
      });
    };
    this.#room.open(this.#tenancy, () => this.#take(judged));
  }

  /** An idle connection, at once, or else a new one. */
  #take(taken: Taken): void {
    if (this.ending) taken(closed(), undefined);
    else if (this.idleCount > 0) takeIdle(this, taken);
    else openConnection(this, taken);
  }

  #leaseOf({ client, toPool }: Opened): Lease {
    let given = false;
    const finish = (destroy: Error | boolean | undefined, reason = destroy && this.state.breachOf(lease.client)) => {
      const life = this.state.lives.get(lease.client);
      if (life !== undefined && !lease.unasked) life.usedAt = this.#now();
      if (reason && lease.toPool !== nothing) this.state.noteDiscard(lease.client, reason);
      // else it says goodbye, for nothing is wrong with it
      if (destroy && reason !== "state") destroySocket(lease.client);
      lease.toPool(destroy);
      this.#room.noteWaiting();
      this.#room.free();
    };
    const { state } = this;
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
        if (destroy || state.isBroken(client)) finish(destroy || true);
        else if (leaves === "pinned" || (leaves === "state" && !this.#mayReset)) finish(true, "state");
        else if (leaves === "nothing" && !leftBusy(client)) finish(false);
        else this.#cleanings.begin(client, { resets: leaves === "state", onConnect: this.#onConnect }, finish);
      },
    };
    client.release = lease.release;
    return lease;
  }

  /** Whether a reset undoes nothing of somebody else's: what a listener did to the new connection nobody can do again. */
  get #mayReset(): boolean {
    return this.listenerCount("connect") <= OWN_LISTENERS;
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
