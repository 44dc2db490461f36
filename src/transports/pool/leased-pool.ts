import pg from "pg";
import { type Asker, type Checkout, checkingOut, type Release } from "./lease.ts";

/** A `pg.Pool` whose checkouts are leases: what asks for a connection in pg's way is given one by `lease`. */
export abstract class LeasedPool extends pg.Pool {
  /** Set while a query of the pool's own takes its connection, which it gives back by itself. */
  #querying = false;

  static {
    // the class this one extends, which pg.Pool no longer is where somebody put this one in its place
    const inherited: pg.Pool = Object.getPrototypeOf(LeasedPool.prototype);
    LeasedPool.prototype.query = function query(this: LeasedPool, ...args: readonly unknown[]) {
      this.#querying = true;
      try {
        return Reflect.apply(inherited.query, this, args);
      } finally {
        this.#querying = false;
      }
    } as pg.Pool["query"];
  }

  /** Checks a connection out for `asker`, which is told exactly once, maybe at once. */
  abstract lease(asker: Asker): void;

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: Release) => void): void;
  override connect(callback?: Checkout): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.connect((error, client) => (client === undefined ? reject(error) : resolve(client)));
      });
    }
    const serve = checkingOut(callback);
    // never before connect has returned, nor from within somebody else's release
    this.lease({ granted: (error, lease) => process.nextTick(serve, error, lease), held: !this.#querying });
    return undefined;
  }
}
