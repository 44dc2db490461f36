import { asCaller } from "./as-caller.ts";
import type { Caller } from "./checkout-queue.ts";
import type { LeakWatch } from "./leaks.ts";
import { acquireTimeout, closed, type Granted, type LeaseOptions, queueFull } from "./lease.ts";
import { OpenCalls } from "./open-calls.ts";
import type { PoolState } from "./pool-state.ts";
import type { Room } from "./room.ts";

/** Where those who ask wait, and what they are given. */
export interface CheckoutsOptions {
  readonly room: Room;
  readonly leaks: LeakWatch;
  readonly state: PoolState;
  /** Makes a lease for whoever has a slot; asks the connection in it, unless the holder does. */
  readonly supply: (done: Granted, asksItself: boolean) => void;
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

  /** Calls `granted` exactly once. Who is cancelled leaves the queue at once; a connection that comes too late for it goes to the next. */
  lease(granted: Granted, { cancellation, asksItself = false, along, held = false }: LeaseOptions): void {
    if (this.closed) {
      granted(closed(), undefined);
      return;
    }
    const { leaks, room, state, supply } = this.#options;
    const { queue, limits } = room;
    leaks.check();
    const watch = held ? leaks.takenHere() : undefined;
    this.#asking.begin();
    let open = true;
    let caller: Caller | undefined;
    let stopListening: (() => void) | undefined;
    const settle: Granted = (error, lease) => {
      if (!open) return lease?.release();
      open = false;
      if (caller !== undefined) queue.leave(caller);
      stopListening?.();
      if (lease !== undefined) lease.onEnd = watch?.(() => state.idOf(lease.client));
      this.#asking.end();
      granted(error, lease);
    };
    const fail = (error: Error) => open && settle(error, undefined);
    stopListening = cancellation?.onCancel(() => cancellation.reason && fail(cancellation.reason("not-sent")));
    if (!open) return;
    room.noteWaiting();
    const supplied: Granted = (error, lease) => {
      settle(error, lease);
      if (lease === undefined) room.free();
    };
    const enter = () => supply(supplied, asksItself);
    const goAlong = () => {
      if (!open || !along?.()) return !open;
      open = false;
      stopListening?.();
      this.#asking.end();
      return true;
    };
    // whoever waits is let in by another request's release, and must not run as that request
    const bound = queue.full ? asCaller() : undefined;
    caller = {
      enter: bound?.(enter) ?? enter,
      along: along && bound?.(goAlong),
      late: () => fail(acquireTimeout(limits.acquireTimeoutMs, limits.max)),
      limitMs: limits.acquireTimeoutMs,
      full: () => fail(queueFull(limits.maxWaiting)),
    };
    queue.take(caller);
  }
}
