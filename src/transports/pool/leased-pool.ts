import pg from "pg";
import { type Asker, type Checkout, checkingOut, type Release } from "./lease.ts";
import { type Answering, answerAs, NO_ANSWER, type PgAnswer } from "./pg-call.ts";
import { rejectAsPg, withFateOf } from "./pg-failure.ts";
import { tellAs } from "./pg-itself.ts";

/**
 * Gives a class the name that pg's own has, whatever a bundler makes of names: Drizzle, rate-limiter-flexible, PostGraphile and others tell a pool by
 * the name of its class, and Drizzle takes what it does not know for a single connection, on which transactions run into one another.
 */
export function namedAsPgs(pool: object): void {
  Object.defineProperty(pool, "name", { value: "BoundPool" });
}

/** A `pg.Pool` whose checkouts are leases: what asks for a connection in pg's way is given one by `lease`. */
export abstract class LeasedPool extends pg.Pool implements Answering {
  /** Set while a query of the pool's own takes its connection, which it gives back by itself. */
  #querying = false;

  static {
    // the class this one extends, which pg.Pool no longer is where somebody put this one in its place
    const inherited: pg.Pool = Object.getPrototypeOf(LeasedPool.prototype);
    LeasedPool.prototype.query = function query(this: LeasedPool, ...args: readonly unknown[]) {
      // what was put in the place of connect, or of promises, is asked
      if (this.connect === connect && this.Promise === Promise) {
        const returned = answerAs(this, args);
        if (returned !== NO_ANSWER) return returned;
      }
      this.#querying = true;
      try {
        const fate = typeof args[0] === "function" ? "not-sent" : "unknown";
        return tellAs((error) => withFateOf(error, fate), { self: this, query: inherited.query as never, args });
      } finally {
        this.#querying = false;
      }
    } as pg.Pool["query"];
    const { connect } = LeasedPool.prototype;
  }

  /** pg's own, from its options. */
  declare readonly Promise: PromiseConstructor;

  /**
   * Sends a query as those of a database are sent, and gives what pg would; undefined where pg has to send it itself, on a connection that is
   * checked out for it.
   * @internal
   */
  abstract answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined;

  /** Counts the use of a connection that was checked out in pg's way. @internal */
  abstract noteUse(client: pg.PoolClient): void;

  /** Checks a connection out for `asker`, which is told exactly once, maybe at once. @internal */
  abstract lease(asker: Asker): void;

  /** Checks a connection out, until its `release`. Rejects with pg's errors, with a fate. */
  override connect(): Promise<pg.PoolClient>;
  /** The same with a callback, which is called exactly once. */
  override connect(callback: (error: Error | undefined, client: pg.PoolClient | undefined, done: Release) => void): void;
  override connect(callback?: Checkout): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) {
      const connected = new this.Promise<pg.PoolClient>((resolve, reject) => {
        this.connect((error, client) => (client === undefined ? reject(error) : resolve(client)));
      });
      return connected.catch(rejectAsPg);
    }
    const serve = checkingOut(callback, (client) => this.noteUse(client));
    // never before connect has returned, nor from within somebody else's release
    this.lease({ granted: (error, lease) => process.nextTick(serve, error, lease), held: !this.#querying });
    return undefined;
  }
}
