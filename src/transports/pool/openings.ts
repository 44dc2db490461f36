import type pg from "pg";
import { isTraced, traceBeginning } from "../../observe/trace-connections.ts";
import { asCaller } from "./as-caller.ts";
import type { Supplied } from "./checkouts.ts";
import { giveUpOpening, openConnection, openEarly, serversOf, type Taken } from "./open-connection.ts";
import type { PoolState } from "./pool-state.ts";
import type { Room } from "./room.ts";

/** Listeners for new connections that the pool itself has. */
const OWN_LISTENERS = 1;

/** A pool that knows where its connections lead to. */
type OpeningPool = pg.Pool & { readonly state: PoolState };

/** What opening is counted, bounded and timed by. */
export interface OpeningsOptions {
  readonly room: Room;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
}

/** A connection on its way. */
interface Opening {
  readonly to: Supplied;
  /** By the wall clock. */
  readonly beganAt: number;
}

/** The connections of a pool that are on their way. */
export class Openings {
  readonly #pool: OpeningPool;
  readonly #options: OpeningsOptions;
  readonly #begun = new Map<pg.PoolClient, Opening>();

  constructor(pool: OpeningPool, options: OpeningsOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** How long opening one may take, milliseconds; 0 for no bound. */
  get limitMs(): number {
    return this.#options.room.limits.connectTimeoutMs * serversOf(this.#pool);
  }

  /** Opens one for whoever has a slot. */
  begin(to: Supplied, taken: Taken): void {
    const opened: Taken = (error, fresh) => {
      if (client !== undefined) this.#begun.delete(client);
      taken(error, fresh);
    };
    const client = this.#open(opened, (told) =>
      // what makes new connections ready has to be there before any statement
      to.asker.early ? openEarly(this.#pool, told, () => to.waits && !isReadied(this.#pool)) : openConnection(this.#pool, told),
    );
    if (client !== undefined) this.#begun.set(client, { to, beganAt: this.#options.now() });
  }

  /** Opens one that nobody has a slot for, in the place of one that is silent or lost. */
  beginBeside(opened: Taken): void {
    this.#open(opened, (told) => openConnection(this.#pool, told));
  }

  /** Destroys those that nobody waits for any more. */
  giveUp(): void {
    if (this.#options.room.waiting > 0) return;
    for (const [client, { to }] of this.#begun) if (!to.waits) giveUpOpening(client);
  }

  /** Destroys those that should be open by the wall clock: timers may have slept with a frozen environment, and the other end be gone. */
  endLate(): void {
    // most often none is
    if (this.#begun.size === 0) return;
    const { limitMs } = this;
    for (const [client, { beganAt }] of this.#begun) {
      if (limitMs > 0 && this.#options.now() - beganAt > limitMs) giveUpOpening(client);
    }
  }

  /** Counts the time until a connection is open, and tells of it. */
  #open<T>(opened: Taken, open: (told: Taken) => T): T {
    const { opening } = this.#options.room;
    const { state } = this.#pool;
    opening.begin();
    if (!isTraced("connect")) {
      return open((error, fresh) => {
        opening.end();
        opened(error, fresh);
      });
    }
    // what is done with it is no part of opening it
    const outside = asCaller()(opened);
    return traceBeginning("connect", state.place, (told) => {
      const ended = told && asCaller()(told);
      return open((error, fresh) => {
        opening.end();
        ended?.(error, fresh === undefined ? null : state.idOf(fresh.client));
        outside(error, fresh);
      });
    });
  }
}

/** Whether somebody else's listener is shown new connections: what it did to one nobody can do again, and no reset may undo. */
export function isShown(pool: pg.Pool): boolean {
  return pool.listenerCount("connect") > OWN_LISTENERS;
}

/** Whether somebody else sees to new connections before anything is sent on them. */
function isReadied(pool: pg.Pool): boolean {
  return pool.options.onConnect !== undefined || pool.options.verify !== undefined || isShown(pool);
}
