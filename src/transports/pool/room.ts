import { CheckoutQueue } from "./checkout-queue.ts";
import { OpeningTime } from "./opening-time.ts";
import type { PoolState } from "./pool-state.ts";
import { WaitingWatch } from "./waiting.ts";

/** Sizes, limits and times, by the names of the settings: what says how much, and not who. */
export interface RoomLimits {
  /** Most connections there may be, whosever they are. */
  readonly max: number;
  /** Connections each pool keeps open as long as nobody else needs the room. */
  readonly min: number;
  /** 0 for no idle timer. */
  readonly idleTimeoutMs: number;
  /** 0 for no limit. */
  readonly lifetimeMs: number;
  /** 0 for no bound. */
  readonly acquireTimeoutMs: number;
  /** 0 for no bound. */
  readonly connectTimeoutMs: number;
  readonly maxWaiting: number;
  /** Null for never. */
  readonly leakThresholdMs: number | null;
}

/** The pool of one identity, as its room sees it. */
export interface Tenant {
  readonly state: PoolState;
  /** Connections that nobody holds. */
  readonly idle: number;
  /** Connections that are being ended, and that the server still has. */
  readonly leaving: number;
  /** When the connection that is idle longest was used; undefined where none is idle. */
  readonly idleSince: number | undefined;
  /** Ends the connection that is idle longest. */
  endOldest(): void;
  /** Takes limits over. */
  adopt(limits: RoomLimits): void;
}

/** Somebody has a slot, and waits until its connection fits in. */
interface Opening {
  readonly tenant: Tenant;
  readonly proceed: () => void;
}

/** Who is told of a queue that does not become empty, and by which clock. */
export interface RoomOptions {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/**
 * How many connections there may be at once, and who waits for one: of a single pool, or of the pools of several identities that share an
 * address, a database and a user. A slot of the queue is the right to hold a connection. Where a connection has to be opened for it and the
 * room is full of others' idle ones, the one that was idle longest is ended first, and heard to be gone.
 */
export class Room {
  /** Of the connections of all tenants. */
  readonly opening = new OpeningTime();
  #limits: RoomLimits;
  readonly #queue: CheckoutQueue;
  readonly #tenants = new Set<Tenant>();
  readonly #openings = new Set<Opening>();
  readonly #watch: WaitingWatch;

  constructor(limits: RoomLimits, { now, warn }: RoomOptions) {
    this.#limits = limits;
    this.#queue = new CheckoutQueue(() => this.#limits);
    this.#watch = new WaitingWatch({ now, openingMs: () => this.opening.until(performance.now()), report: this.#waitingReporter(warn) });
  }

  get limits(): RoomLimits {
    return this.#limits;
  }

  /** Calls that wait for a slot, of all tenants. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  get queue(): Pick<CheckoutQueue, "take" | "leave" | "full" | "callAlong"> {
    return this.#queue;
  }

  /** Whether nobody is in it. */
  get vacant(): boolean {
    return this.#tenants.size === 0;
  }

  /** Whether one more connection would be too many. */
  get full(): boolean {
    return this.#held >= this.#limits.max;
  }

  enter(tenant: Tenant): void {
    this.#tenants.add(tenant);
    tenant.adopt(this.#limits);
  }

  leave(tenant: Tenant): void {
    this.#tenants.delete(tenant);
  }

  /** Other limits hold from now on, for every tenant. */
  adopt(limits: RoomLimits): void {
    this.#limits = limits;
    for (const tenant of this.#tenants) tenant.adopt(limits);
    this.#queue.admit();
    this.settle();
  }

  /** Whether whoever holds a slot may take an idle connection of its own: nobody waits before it to open one. */
  mayTakeIdle(tenant: Tenant): boolean {
    return this.#openings.size === 0 && tenant.idle > 0;
  }

  /** Whoever holds a slot has a connection opened by `proceed`, or an idle one of its own taken: maybe at once. */
  open(tenant: Tenant, proceed: () => void): void {
    // most often there is one: nobody waits for it
    if (this.#openings.size === 0 && tenant.idle > 0) proceed();
    else this.#openings.add({ tenant, proceed });
    this.settle();
  }

  /** A slot was given back. */
  free(): void {
    this.#queue.free();
    this.settle();
  }

  /** To be told whenever the queue may have changed. */
  noteWaiting(): void {
    this.#watch.note(this.#queue.waiting);
  }

  /** Opens what fits in, and has idle connections ended for what does not. To be told whenever a connection has come, gone, or become idle. */
  settle(): void {
    for (const opening of this.#openings) {
      if (!this.#fits(opening.tenant)) continue;
      this.#openings.delete(opening);
      opening.proceed();
    }
    let surplus = this.#queue.taken + this.#sum("idle") - this.#limits.max;
    for (; surplus > 0; surplus--) this.#endLongestIdle();
  }

  #fits(tenant: Tenant): boolean {
    return tenant.idle > 0 || !this.full;
  }

  #endLongestIdle(): void {
    let longest: Tenant | undefined;
    let since = Number.POSITIVE_INFINITY;
    for (const tenant of this.#tenants) {
      const { idleSince = Number.POSITIVE_INFINITY } = tenant;
      if (idleSince >= since) continue;
      longest = tenant;
      since = idleSince;
    }
    longest?.endOldest();
  }

  /** Every slot has a connection, or one that is on its way; only who waits to open it has none. */
  get #held(): number {
    return this.#queue.taken - this.#openings.size + this.#sum("idle") + this.#sum("leaving");
  }

  #sum(what: "idle" | "leaving"): number {
    let sum = 0;
    for (const tenant of this.#tenants) sum += tenant[what];
    return sum;
  }

  /** Tells whoever is in the room, and warns of the first. */
  #waitingReporter(warn: (message: string) => void): (waiting: number, forMs: number) => void {
    let warned = false;
    return (waiting, forMs) => {
      for (const { state } of this.#tenants) state.tell(() => ({ type: "waiting", waiting, forMs }));
      if (warned) return;
      warned = true;
      warn(
        `Calls have been waiting for a connection for ${forMs} ms, ${waiting} of them now. Shorten transactions, or raise max. Said once.`,
      );
    };
  }
}
