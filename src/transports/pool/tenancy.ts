import type pg from "pg";
import { destroySocket } from "./client-state.ts";
import { endConnection, oldestIdleOf, watchRemovals } from "./pg-pool.ts";
import type { PoolState } from "./pool-state.ts";
import type { Room, RoomLimits, Tenant } from "./room.ts";

/** How long a goodbye may take, milliseconds: a swallowed connection never takes it. */
const GOODBYE_LIMIT_MS = 1_000;

/** A pool whose connections take up room. */
type HousedPool = pg.Pool & { readonly state: PoolState };

/**
 * A pool in its room. A connection that has left the pool takes up room until the server has closed it, for as long it has a backend there;
 * no goodbye takes longer than a second.
 */
export class Tenancy implements Tenant {
  readonly #pool: HousedPool;
  readonly #leaving = new Map<pg.PoolClient, Promise<void>>();

  constructor(pool: HousedPool, room: Room) {
    this.#pool = pool;
    watchRemovals(pool, (client) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const limit = setTimeout(() => destroySocket(client), GOODBYE_LIMIT_MS);
      this.#leaving.set(client, promise);
      return () => {
        clearTimeout(limit);
        this.#leaving.delete(client);
        resolve();
        room.settle();
      };
    });
    room.enter(this);
  }

  get state(): PoolState {
    return this.#pool.state;
  }

  get idle(): number {
    return this.#pool.idleCount;
  }

  get leaving(): number {
    return this.#leaving.size;
  }

  get idleSince(): number | undefined {
    const oldest = oldestIdleOf(this.#pool);
    return oldest && (this.state.lives.get(oldest)?.usedAt ?? 0);
  }

  endOldest(): void {
    const oldest = oldestIdleOf(this.#pool);
    if (oldest !== undefined) endConnection(this.#pool, oldest);
  }

  /** Ends what nobody holds; resolves when the server has been told, or cannot be. */
  endIdle(): Promise<void> {
    while (this.#pool.idleCount > 0) this.endOldest();
    return this.gone();
  }

  /** Resolves when what is being ended is gone. */
  async gone(): Promise<void> {
    await Promise.all(this.#leaving.values());
  }

  adopt({ max, min, idleTimeoutMs, connectTimeoutMs }: RoomLimits): void {
    // pg-pool reads them whenever it needs them, and hands the last to each client it makes
    Object.assign(this.#pool.options, { max, min, idleTimeoutMillis: idleTimeoutMs, connectTimeoutMillis: connectTimeoutMs });
  }
}
