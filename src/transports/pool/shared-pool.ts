import type pg from "pg";
import { UsageError } from "../../errors/errors.ts";
import type { RequestContext } from "../request/request-scope.ts";
import { type Asker, closed, endedTwice } from "./lease.ts";
import { LeasedPool, namedAsPgs } from "./leased-pool.ts";
import { OpenCalls } from "./open-calls.ts";
import type { PgAnswer } from "./pg-call.ts";
import { asPg, madeOf } from "./pg-failure.ts";

/** What a handle delegates to: a pool that others use as well. */
export type DelegatePool = Pick<
  LeasedPool,
  "lease" | "answer" | "noteUse" | "options" | "totalCount" | "idleCount" | "waitingCount" | "expiredCount"
> & {
  on(event: PoolEvent, listener: Forward): unknown;
  off(event: PoolEvent, listener: Forward): unknown;
  endIdle(): Promise<void>;
};

/** A share of such a pool. */
export interface DelegateShare {
  /** The pool of the moment. */
  readonly pool: DelegatePool;
  readonly release: () => Promise<void>;
  /** Its calls belong to requests, and none may wait for another's. */
  readonly apart?: boolean;
}

/** Runs work as one request, where connections belong to one. */
type RunScope = <T>(context: RequestContext, work: () => T) => T;

/** Options that are read when one of them is asked for. */
function lateOptions(read: () => DelegatePool["options"]): DelegatePool["options"] {
  return new Proxy({} as DelegatePool["options"], {
    get: (_, name) => Reflect.get(read(), name),
    set: (_, name, value) => Reflect.set(read(), name, value),
    has: (_, name) => Reflect.has(read(), name),
    ownKeys: () => Reflect.ownKeys(read()),
    getOwnPropertyDescriptor(_, name) {
      const found = Reflect.getOwnPropertyDescriptor(read(), name);
      return found && { ...found, configurable: true };
    },
  });
}

/** What a handle is besides. */
export interface SharedPoolOptions {
  readonly own?: PromiseConstructor | undefined;
  /** Default: runs the work, and nothing else. */
  readonly scope?: RunScope | undefined;
}

/** Whoever ends it with a request ends it for all. */
function closedInWorkers(): UsageError {
  const message =
    "Cannot use a pool after calling end on the pool, for any request. Leave end out: connections end with their request; or make the pool in each.";
  return madeOf(new UsageError(message, { code: "CLOSED" }), new Error(message));
}

const poolEvents = ["connect", "acquire", "release", "remove", "error"] as const;
type PoolEvent = (typeof poolEvents)[number];
type Forward = (...told: readonly unknown[]) => void;

/**
 * A handle on a pool that is shared: a `pg.Pool` to whoever holds it, which delegates to the pool of the moment. Nothing is read before its first
 * call, and `end` ends the handle alone. It tells of every connection of the pool, whoever uses it.
 */
export class SharedPool extends LeasedPool {
  readonly #join: () => DelegateShare;
  readonly #scope: RunScope;
  readonly #calls = new OpenCalls();
  /** By event, what hands it on; only where somebody listens. */
  readonly #forwards = new Map<PoolEvent, Forward>();
  #share: DelegateShare | undefined;
  /** The pool whose events are handed on. */
  #heard: DelegatePool | undefined;

  /** `own` is the class of the promises it gives. */
  constructor(join: () => DelegateShare, { own, scope = (_, work) => work() }: SharedPoolOptions = {}) {
    super(own && { Promise: own });
    this.#join = join;
    this.#scope = scope;
    // also for whoever keeps them before anything can be read, as Prisma's adapter does
    const options = lateOptions(() => (this.#share ?? { pool: this.#pool() }).pool.options);
    Object.defineProperty(this, "options", { value: options });
    this.on("newListener" as PoolEvent, ((event: PoolEvent) => this.#forward(event)) as Forward);
  }

  static {
    namedAsPgs(SharedPool);
    for (const count of ["totalCount", "idleCount", "waitingCount", "expiredCount"] as const) {
      Object.defineProperty(SharedPool.prototype, count, {
        get(this: SharedPool) {
          return this.ended ? 0 : (this.#share?.pool[count] ?? 0);
        },
      });
    }
  }

  /**
   * Runs `work` as one request of a runtime whose sockets belong to requests (Workers): what it asks for shares connections, which end with it.
   * Elsewhere it runs `work`, and nothing else.
   * @param context the request's `ctx`
   */
  scope<T>(context: RequestContext, work: () => T): T {
    return this.#scope(context, work);
  }

  override lease(asker: Asker): void {
    let pool: DelegatePool;
    try {
      pool = this.#pool();
    } catch (error) {
      this.#fail(() => asker.granted(error as Error, undefined));
      return;
    }
    this.#calls.begin();
    pool.lease({
      ...asker,
      granted: (error, lease) => {
        if (lease === undefined) {
          this.#calls.end();
          return asker.granted(error, undefined);
        }
        const { onEnd } = lease;
        lease.onEnd = () => {
          onEnd?.();
          this.#calls.end();
        };
        asker.granted(undefined, lease);
      },
    });
  }

  override answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined {
    let answer: Promise<PgAnswer> | undefined;
    try {
      answer = this.#pool().answer(config, values);
    } catch (error) {
      return new Promise((_, reject) => this.#fail(() => reject(asPg(error))));
    }
    if (answer === undefined) return undefined;
    this.#calls.begin();
    // the promise that is awaited hangs on one alone, or its stack shows nobody who awaits it
    return answer.then(
      (given) => {
        this.#calls.end();
        return given;
      },
      (error) => {
        this.#calls.end();
        throw error;
      },
    );
  }

  override noteUse(client: pg.PoolClient): void {
    this.#share?.pool.noteUse(client);
  }

  /** Ends the connections of the shared pool that nobody holds; the next checkout opens one. */
  async endIdle(): Promise<void> {
    await this.#share?.pool.endIdle();
  }

  /**
   * Ends this handle once its own calls are done and its clients given back; new ones are refused at once. The connections go on serving whoever
   * shares them, and end with the last. In Workers it waits for nothing: what is in use ends with its request.
   */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: (error?: Error) => void): Promise<void> | undefined {
    const ended = this.#calls.closed ? Promise.reject(endedTwice()) : this.#end();
    if (callback === undefined) return this.Promise.resolve(ended);
    ended.then(() => callback(), callback);
    return undefined;
  }

  async #end(): Promise<void> {
    Object.assign(this, { ending: true });
    const closing = this.#calls.close();
    if (!this.#share?.apart) await closing;
    // the last of those that share the connections hears of their end
    await this.#share?.release();
    this.#hear(undefined);
    Object.assign(this, { ended: true });
  }

  #pool(): DelegatePool {
    if (this.#calls.closed) throw this.#share?.apart ? closedInWorkers() : closed();
    this.#share ??= this.#join();
    const { pool } = this.#share;
    if (this.#heard !== pool) this.#hear(pool);
    return pool;
  }

  /**
   * Tells a call that there is no pool, where settings are missing no sooner than that a server is not there: Next.js begins the calls of a page when
   * it builds, and gives them up a turn later.
   */
  #fail(tell: () => void): void {
    if (this.#calls.closed) tell();
    else setTimeout(tell, 0);
  }

  #forward(event: PoolEvent): void {
    if (!poolEvents.includes(event) || this.#forwards.has(event)) return;
    const forward: Forward = (...told) => this.listenerCount(event) > 0 && this.emit(event, ...told);
    this.#forwards.set(event, forward);
    this.#heard?.on(event, forward);
  }

  #hear(pool: DelegatePool | undefined): void {
    for (const [event, forward] of this.#forwards) {
      this.#heard?.off(event, forward);
      pool?.on(event, forward);
    }
    this.#heard = pool;
  }
}
