import type pg from "pg";
import type { DiscardEvent } from "../../observe/events.ts";
import type { Supplied } from "./checkouts.ts";
import type { Cleanings } from "./cleaning.ts";
import { askBySync, destroySocket, leftBusy, looksDead } from "./client-state.ts";
import { afterTwoTicks, judge, TRUST_MS } from "./freshness.ts";
import { closed, HeldLease, type Lease, lostAtOnce, type Opened } from "./lease.ts";
import { isShown, type Openings } from "./openings.ts";
import { isEnding, takeIdle } from "./pg-pool.ts";
import type { PoolState } from "./pool-state.ts";
import { answerOrReplacement } from "./probe.ts";
import type { Room, Tenant } from "./room.ts";

const nothing = (): void => {};

/** A pool whose connections are leased. */
type LeasingPool = pg.Pool & { readonly state: PoolState };

/** What connections are judged and bounded by. */
export interface SupplyOptions {
  readonly room: Room;
  readonly tenant: Tenant;
  readonly openings: Openings;
  readonly cleanings: Cleanings;
  /** After so long without use the other end has closed a connection; null where that is not known. */
  readonly serverIdleMs: number | null;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
}

/** The connections of a pool on their way into leases and back: fresh when they are handed out, clean when they are idle. */
export class Supply {
  readonly #pool: LeasingPool;
  readonly #options: SupplyOptions;

  constructor(pool: LeasingPool, options: SupplyOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** A connection for whoever has a slot: one that was used a moment ago, at once, or one that has to be asked, or a new one. */
  give(to: Supplied): void {
    const { room, tenant } = this.#options;
    if (room.mayTakeIdle(tenant)) this.#take(to);
    else room.open(tenant, () => this.#take(to));
  }

  /**
   * Asks the connection of a lease whether it lives. One that is lost is replaced; one that is silent gets a replacement opened beside it,
   * and whichever answers first is the lease's from then on. While `persists` says so, a replacement that cannot be opened is tried again.
   */
  async confirm(lease: Lease, ask: (client: pg.PoolClient) => Promise<boolean>, persists?: () => boolean): Promise<void> {
    lease.unasked = false;
    const { client } = lease;
    const { openings } = this.#options;
    const probed = this.#pool.state.noteProbe(client);
    try {
      const fresh = await answerOrReplacement({
        client,
        answer: ask(client).then((alive) => {
          // gone before another is opened in its place: it is none of those there are
          if (!alive && lease.client === client) this.#findDead(lease);
          return probed.answer(alive);
        }),
        connectTimeoutMs: openings.limitMs,
        persists,
        openBeside: (opened) => openings.beginBeside(opened),
        giveSurplus: (surplus) => this.#giveSurplus(surplus),
      });
      if (fresh === undefined) return;
      this.#findDead(lease);
      Object.assign(lease, fresh);
    } catch (error) {
      this.#findDead(lease);
      throw error;
    } finally {
      probed.tell();
    }
  }

  /** An idle connection, at once, or else a new one. */
  #take(to: Supplied): void {
    if (isEnding(this.#pool)) {
      to.supplied(closed(), undefined);
      return;
    }
    const idle = takeIdle(this.#pool);
    if (idle !== undefined) this.#judge(idle, to);
    else {
      this.#options.openings.begin(to, (error, opened) => {
        if (opened === undefined) to.supplied(error, undefined);
        else if (looksDead(opened.client)) this.#refuseDead(opened, to);
        else this.#judge(opened, to);
      });
    }
  }

  /** A new connection that is dead by now is the call's to repeat: the next may be as well, and the one behind that. */
  #refuseDead(opened: Opened, to: Supplied): void {
    this.#findDead(new HeldLease(opened, this.#giveBack));
    to.supplied(lostAtOnce(), undefined);
  }

  #judge(opened: Opened, to: Supplied): void {
    const { client } = opened;
    const { state } = this.#pool;
    const lease = new HeldLease(opened, this.#giveBack);
    const obtainAnother = () => {
      this.#findDead(lease);
      this.give(to);
    };
    if (looksDead(client)) {
      obtainAnother();
      return;
    }
    const life = state.lives.get(client);
    const { room, serverIdleMs } = this.#options;
    const now = this.#options.now();
    const limits = { serverIdleMs, lifetimeMs: room.limits.lifetimeMs };
    const verdict = life === undefined ? "use" : judge(life, limits, { now, suspectSince: state.suspectSince });
    if (verdict === "use") {
      to.supplied(undefined, lease);
      return;
    }
    const idleMs = life === undefined ? 0 : now - life.usedAt;
    if (idleMs >= TRUST_MS) state.noteThaw(client, idleMs);
    if (verdict === "replace") {
      this.#discard(lease, "expired");
      this.give(to);
      return;
    }
    afterTwoTicks(() => {
      if (looksDead(client)) return obtainAnother();
      lease.unasked = true;
      if (to.asker.asksItself) return to.supplied(undefined, lease);
      this.confirm(lease, askBySync).then(
        () => to.supplied(undefined, lease),
        (failure) => to.supplied(failure, undefined),
      );
    });
  }

  readonly #giveBack = (lease: HeldLease, destroy: Error | boolean | undefined): void => {
    const { client, leaves } = lease;
    // what is not open yet is nobody's to wait for
    if (destroy || !this.#pool.state.lives.has(client) || this.#pool.state.isBroken(client)) this.#end(lease, destroy || true);
    else if (leaves === "pinned" || (leaves === "state" && isShown(this.#pool))) this.#end(lease, true, "state");
    else if (leaves === "nothing" && !leftBusy(client)) this.#end(lease, false);
    else {
      const cleaning = { resets: leaves === "state", onConnect: this.#pool.options.onConnect };
      this.#options.cleanings.begin(client, cleaning, (broken) => this.#end(lease, broken));
    }
  };

  #end(
    lease: HeldLease,
    destroy: Error | boolean | undefined,
    reason: false | undefined | DiscardEvent["reason"] = destroy && this.#pool.state.breachOf(lease.client),
  ): void {
    const { now, room } = this.#options;
    const { state } = this.#pool;
    const life = state.lives.get(lease.client);
    if (life !== undefined && !lease.unasked) life.usedAt = now();
    if (reason && life !== undefined && lease.toPool !== nothing) state.noteDiscard(lease.client, reason);
    // else it says goodbye, for nothing is wrong with it
    if (destroy && reason !== "state") destroySocket(lease.client);
    lease.toPool(destroy);
    room.noteWaiting();
    room.free();
  }

  /** Destroys the connection in a lease; its slot stays with the lease. */
  #discard(lease: Lease, reason: "lost" | "expired"): void {
    if (lease.toPool === nothing) return;
    this.#pool.state.noteDiscard(lease.client, reason);
    destroySocket(lease.client);
    lease.toPool(true);
    lease.toPool = nothing;
  }

  /** What died may not have died alone: every connection used before is asked next time. */
  #findDead(lease: Lease): void {
    this.#pool.state.suspectSince = this.#options.now();
    this.#discard(lease, "lost");
  }

  /** The silent one answered after all: the pool keeps the new one only if there is room. */
  #giveSurplus({ client, toPool }: Opened): void {
    const surplus = this.#options.room.full;
    if (surplus) destroySocket(client);
    toPool(surplus);
  }
}
