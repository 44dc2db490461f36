import type pg from "pg";
import { isOutOfStep } from "../../wire/out-of-step.ts";
import { Checkouts } from "./checkouts.ts";
import { Cleanings } from "./cleaning.ts";
import { destroySocket } from "./client-state.ts";
import { LeakWatch } from "./leaks.ts";
import { type Asker, endedTwice, type Lease } from "./lease.ts";
import { LeasedPool } from "./leased-pool.ts";
import { serversOf } from "./open-connection.ts";
import { Openings } from "./openings.ts";
import type { PgAnswer } from "./pg-call.ts";
import { clientsOf, endConnections, takeOver } from "./pg-pool.ts";
import { type PgQueries, queriesOver } from "./pg-queries.ts";
import { PoolState } from "./pool-state.ts";
import { processClock, processRandom } from "./process-clock.ts";
import { Room } from "./room.ts";
import { Supply } from "./supply.ts";
import { Tenancy } from "./tenancy.ts";
import { WarmClient } from "./warm-client.ts";
import { DEFAULT_MAX_WAITING, DEFAULT_TIMEOUT_MS, type WarmPoolConfig } from "./warm-pool-config.ts";

export type { WarmPoolConfig } from "./warm-pool-config.ts";

const nothing = (): void => {};

/**
 * A `pg.Pool` whose connections are fresh when they are handed out, that bounds waiting and connecting apart, survives the loss of idle and
 * of checked-out connections, and serves its queue in order whatever becomes of a connection given back. What `query` and `connect` reject with
 * is pg's, with a fate. `query` and `connect` mean what pg's do: no statement is refused, and what a client set stays on its connection.
 */
export class WarmPool extends LeasedPool {
  /** Counts and sessions of this pool's connections. @internal */
  readonly state: PoolState;
  readonly #room: Room;
  readonly #tenancy: Tenancy;
  readonly #checkouts: Checkouts;
  readonly #openings: Openings;
  readonly #cleanings: Cleanings;
  readonly #supply: Supply;
  readonly #queries: PgQueries;

  constructor(config: WarmPoolConfig = {}) {
    const {
      acquireTimeoutMillis: acquireTimeoutMs = DEFAULT_TIMEOUT_MS,
      connectTimeoutMillis: connectTimeoutMs = DEFAULT_TIMEOUT_MS,
      maxWaiting = DEFAULT_MAX_WAITING,
      leakThresholdMillis: leakThresholdMs = null,
      warn = nothing,
      freshness: { serverIdleMs, lifetimeMs } = { serverIdleMs: null, lifetimeMs: 0 },
      now = processClock.now,
      random = processRandom,
      room: shared,
      traits,
      servers,
      ...options
    } = config;
    super({ ...options, Client: WarmClient } as object);
    // not to be seen: keys are in it
    if (servers !== undefined) {
      Object.defineProperties(this.options, { servers: { value: servers }, server: { value: undefined, writable: true } });
    }
    takeOver(this);
    const state = new PoolState(this.options);
    this.state = state;
    const { max, min = 0, idleTimeoutMillis } = this.options as typeof this.options & { readonly min?: number };
    const idleTimeoutMs = idleTimeoutMillis ?? 0;
    const own = { max, min, idleTimeoutMs, lifetimeMs, acquireTimeoutMs, connectTimeoutMs, maxWaiting, leakThresholdMs };
    const room = shared ?? new Room(own, { now, warn });
    const leaks = new LeakWatch({ thresholdMs: () => room.limits.leakThresholdMs, now, report: state.leakReporter(warn) });
    this.#room = room;
    this.#tenancy = new Tenancy(this, room);
    this.#cleanings = new Cleanings(now);
    this.#openings = new Openings(this, { room, now });
    this.#supply = new Supply(this, {
      room,
      tenant: this.#tenancy,
      openings: this.#openings,
      cleanings: this.#cleanings,
      serverIdleMs,
      now,
    });
    const where = () => `${this.options.host}:${this.options.port}`;
    this.#checkouts = new Checkouts({ room, leaks, state, where, servers: () => serversOf(this), supply: (to) => this.#supply.give(to) });
    this.#queries = queriesOver(this, traits);
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
   * Checks a connection out for `asker`, which is told exactly once. A cancelled call leaves the queue at once; a connection that comes too
   * late for it goes to the next.
   * @internal
   */
  override lease(asker: Asker): void {
    this.#cleanings.endLate();
    this.#openings.endLate();
    this.#checkouts.lease(asker);
  }

  override answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined {
    const { binary, query_timeout } = this.options as { readonly binary?: unknown; readonly query_timeout?: unknown };
    return binary || query_timeout ? undefined : this.#queries.answer(config, values);
  }

  override noteUse(client: pg.PoolClient): void {
    this.#queries.noteUse(client);
  }

  /** Whether every connection there may be is held, and nobody waits for one yet. @internal */
  get isCrowded(): boolean {
    return this.#room.queue.full && this.#room.waiting === 0;
  }

  /** Whether anybody hears of what becomes of connections. @internal */
  get isHeard(): boolean {
    return this.state.isHeard || this.listenerCount("release") > 0 || this.listenerCount("acquire") > 0;
  }

  /** Lets those who wait go along with others, as long as the next one can. @internal */
  callAlong(): void {
    if (this.#room.waiting > 0) this.#room.queue.callAlong();
  }

  /** Asks the connection of a lease whether it lives, and gives the lease another where it does not. @internal */
  confirm(lease: Lease, ask: (client: pg.PoolClient) => Promise<boolean>, persists?: () => boolean): Promise<void> {
    return this.#supply.confirm(lease, ask, persists);
  }

  /** Ends the connections nobody holds, or waits for; the next checkout opens one. Resolves when the server has been told, or cannot be. */
  async endIdle(): Promise<void> {
    this.#openings.giveUp();
    await this.#cleanings.settled();
    await this.#tenancy.endIdle();
  }

  /** Whether the pool takes no new work. @internal */
  get closing(): boolean {
    return this.#checkouts.closed;
  }

  /**
   * Ends the pool once everybody in its queue has been served and every connection is given back. New checkouts are refused at once. Resolves
   * when the server has closed the last connection, or a second after it was told to.
   */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: (error?: Error) => void): Promise<void> | undefined {
    const ended = this.closing ? Promise.reject(endedTwice()) : this.#end();
    if (callback === undefined) return this.Promise.resolve(ended);
    ended.then(() => callback(), callback);
    return undefined;
  }

  async #end(): Promise<void> {
    Object.assign(this, { ending: true });
    await this.#checkouts.close();
    const ending = endConnections(this);
    // nobody waits any more for what is still connecting
    for (const client of clientsOf(this)) {
      if (!this.state.lives.has(client) && !(client as unknown as WarmClient).isEarly) destroySocket(client);
    }
    await ending;
    await this.#tenancy.gone();
    this.#room.leave(this.#tenancy);
  }
}
