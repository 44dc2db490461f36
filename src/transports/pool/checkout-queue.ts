/** What becomes of a caller. Exactly one of the functions is called, and none once it has left. */
export interface Caller {
  /** A slot is free, maybe at once. */
  enter(): void;
  /** Goes along on a connection somebody else holds, if that can be; whether it did. */
  along(): boolean;
  /** None was free within `limitMs`; 0 for no limit. */
  late(): void;
  readonly limitMs: number;
  /** None is free, and too many wait already. */
  full(): void;
}

/** How many slots there are, and how many may wait for one. Asked each time, for it may change. */
export interface QueueLimits {
  readonly max: number;
  readonly maxWaiting: number;
}

/** How many may hold a connection at once, and who waits for it, first come first served. */
export class CheckoutQueue {
  readonly #limits: () => QueueLimits;
  readonly #waiters = new Set<Caller>();
  readonly #late = new Map<Caller, NodeJS.Timeout>();
  #taken = 0;

  constructor(limits: () => QueueLimits) {
    this.#limits = limits;
  }

  /** Slots somebody has. */
  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Whether the next one has to wait. */
  get full(): boolean {
    return this.#taken >= this.#limits().max;
  }

  /** Takes a slot, or a place in the queue, if there is either. */
  take(caller: Caller): void {
    if (!this.full) this.#enter(caller);
    else if (this.#waiters.size >= this.#limits().maxWaiting) caller.full();
    else this.#wait(caller);
  }

  /** Gives a slot to the next. */
  free(): void {
    this.#taken--;
    this.admit();
  }

  /** Gives slots that nobody has to those who wait: one came free, or there are more of them. */
  admit(): void {
    for (const next of this.#waiters) {
      if (this.full) return;
      this.leave(next);
      this.#enter(next);
    }
  }

  /** Lets those who wait go along with others, as long as the next one can. */
  callAlong(): void {
    for (const next of this.#waiters) {
      if (!next.along()) return;
      this.leave(next);
    }
  }

  /** Gives up waiting; twice, or later, it does nothing. */
  leave(caller: Caller): void {
    clearTimeout(this.#late.get(caller));
    this.#late.delete(caller);
    this.#waiters.delete(caller);
  }

  #wait(caller: Caller): void {
    if (caller.limitMs > 0)
      this.#late.set(
        caller,
        setTimeout(() => caller.late(), caller.limitMs),
      );
    this.#waiters.add(caller);
  }

  #enter(caller: Caller): void {
    this.#taken++;
    caller.enter();
  }
}
