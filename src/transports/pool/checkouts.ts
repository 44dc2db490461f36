import { AsyncResource } from "node:async_hooks";
import { isTraced } from "../../observe/trace-connections.ts";
import { connectTimeout } from "../failure.ts";
import type { Caller, Place } from "./checkout-queue.ts";
import type { LeakWatch } from "./leaks.ts";
import { type Asker, acquireTimeout, closed, type Lease, queueFull } from "./lease.ts";
import { OpenCalls } from "./open-calls.ts";
import type { PoolState } from "./pool-state.ts";
import type { Room } from "./room.ts";
import { traceAsker } from "./trace-asker.ts";
import { limitWait, type WaitedFor } from "./wait-limit.ts";

/** Who has a slot, and is to be given a lease. */
export interface Supplied {
  readonly asker: Asker;
  /** Whether it still waits. */
  readonly waits: boolean;
  /** To be called once, with a lease or the reason why there is none. */
  supplied(error: Error | undefined, lease: Lease | undefined): void;
}

/** Where those who ask wait, and what they are given. */
export interface CheckoutsOptions {
  readonly room: Room;
  readonly leaks: LeakWatch;
  readonly state: PoolState;
  /** Where connections are opened to. */
  readonly where: () => string;
  /** How many servers are tried for a connection, at most. */
  readonly servers: () => number;
  /** Makes a lease for whoever has a slot; asks the connection in it, unless the holder does. */
  readonly supply: (to: Supplied) => void;
}

/** The counter of one pool: who asks here waits in its room, in order, until it is served, gives up, or has waited for too long. */
export class Checkouts {
  readonly #options: CheckoutsOptions;
  /** Those who have asked, and have neither a lease nor a refusal. */
  readonly #asking = new OpenCalls();

  constructor(options: CheckoutsOptions) {
    this.#options = options;
  }

  /** Whether nobody is served any more who has not asked yet. */
  get closed(): boolean {
    return this.#asking.closed;
  }

  /** Resolves when everybody who has asked is served. */
  close(): Promise<void> {
    return this.#asking.close();
  }

  /** Tells `asker` exactly once. Who is cancelled leaves the queue at once; a connection that comes too late for it goes to the next. */
  lease(asker: Asker): void {
    if (this.closed) {
      asker.granted(closed(), undefined);
      return;
    }
    this.#options.leaks.check();
    if (isTraced("acquire")) traceAsker(asker, this.#options.state, (traced) => new Asking(traced, this.#options, this.#asking).begin());
    else new Asking(asker, this.#options, this.#asking).begin();
  }
}

/** Somebody who has asked, until it is told. */
class Asking implements Caller, Supplied {
  readonly asker: Asker;
  place: Place | undefined;
  readonly #options: CheckoutsOptions;
  readonly #calls: OpenCalls;
  readonly #watch: ReturnType<LeakWatch["takenHere"]>;
  #open = true;
  /** Ends the watch over how long it waits. */
  #stopLimit: (() => void) | undefined;
  /** Set where it waits: whoever waits is let in by another request's release, and must not run as that request. */
  #context: AsyncResource | undefined;
  #stopListening: (() => void) | undefined;

  constructor(asker: Asker, options: CheckoutsOptions, calls: OpenCalls) {
    this.asker = asker;
    this.#options = options;
    this.#calls = calls;
    this.#watch = asker.held ? options.leaks.takenHere() : undefined;
  }

  get waits(): boolean {
    return this.#open;
  }

  begin(): void {
    this.#calls.begin();
    const { cancellation } = this.asker;
    if (cancellation?.reason !== undefined) {
      this.#fail(cancellation.reason("not-sent"));
      return;
    }
    const { room } = this.#options;
    room.noteWaiting();
    if (room.queue.full) this.#context = new AsyncResource("warmline.checkout");
    room.queue.take(this);
    // most are served by now
    if (!this.#open) return;
    if (this.place !== undefined) this.#stopLimit = limitWait(room, this.#options.servers(), this.#late);
    this.#stopListening = cancellation?.onCancel(() => cancellation.reason && this.#cancel(cancellation.reason("not-sent")));
  }

  enter(): void {
    if (this.#context === undefined) this.#options.supply(this);
    else this.#context.runInAsyncScope(this.#options.supply, undefined, this);
  }

  along(): boolean {
    if (!this.#open) return true;
    if (this.#context === undefined || !this.asker.along) return false;
    if (!this.#context.runInAsyncScope(this.asker.along, this.asker)) return false;
    this.#end();
    return true;
  }

  /** A connection that is on its way for it goes on: the next may have use for it. */
  readonly #late = (waitedFor: WaitedFor): void => {
    const { room, where } = this.#options;
    const { acquireTimeoutMs, connectTimeoutMs, max } = room.limits;
    this.#fail(waitedFor === "another" ? acquireTimeout(acquireTimeoutMs, max) : connectTimeout(where(), connectTimeoutMs));
  };

  /** The call is over. Where its time went into connecting, that is what is to be looked at. */
  #cancel(error: Error): void {
    const { room, where } = this.#options;
    if (room.opening.runs && !("cause" in error)) {
      Object.defineProperty(error, "cause", {
        value: new Error(`Connecting to ${where()} was not over. Check host, port and network rules.`),
      });
    }
    this.#fail(error);
  }

  full(): void {
    this.#fail(queueFull(this.#options.room.limits.maxWaiting));
  }

  supplied(error: Error | undefined, lease: Lease | undefined): void {
    if (this.#open) this.#settle(error, lease);
    else lease?.release();
    if (lease === undefined) this.#options.room.free();
  }

  #fail(error: Error): void {
    if (this.#open) this.#settle(error, undefined);
  }

  #settle(error: Error | undefined, lease: Lease | undefined): void {
    if (this.#context !== undefined) this.#options.room.queue.leave(this);
    if (lease !== undefined && this.#watch !== undefined) lease.onEnd = this.#watch(() => this.#options.state.idOf(lease.client));
    this.#end();
    this.asker.granted(error, lease);
  }

  #end(): void {
    this.#open = false;
    this.#stopLimit?.();
    this.#stopListening?.();
    this.#calls.end();
  }
}
