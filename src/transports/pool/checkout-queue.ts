/** What becomes of a caller. Exactly one of the functions is called, and none once it has left. */
export interface Caller {
  /** A slot is free, maybe at once. */
  enter(): void;
  /** Goes along on a connection somebody else holds, if that can be; whether it did. */
  along(): boolean;
  /** None is free, and too many wait already. */
  full(): void;
  /** Where it stands, while it waits. */
  place: Place | undefined;
}

/** How many slots there are, and how many may wait for one. Asked each time, for it may change. */
export interface QueueLimits {
  readonly max: number;
  readonly maxWaiting: number;
}

/** A place in the queue. */
export interface Place {
  readonly caller: Caller;
  before: Place | undefined;
  behind: Place | undefined;
}

/**
 * How many may hold a connection at once, and who waits for it, first come first served. Places are linked, and the links of one that was left
 * are cut: a Set's former tables point to those that took their place, so that what had waited would be kept until a full collection.
 */
export class CheckoutQueue {
  readonly #limits: () => QueueLimits;
  #first: Place | undefined;
  #last: Place | undefined;
  #waiting = 0;
  #taken = 0;

  constructor(limits: () => QueueLimits) {
    this.#limits = limits;
  }

  /** Slots somebody has. */
  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Whether the next one has to wait. */
  get full(): boolean {
    return this.#taken >= this.#limits().max;
  }

  /** Takes a slot, or a place in the queue, if there is either. */
  take(caller: Caller): void {
    if (!this.full) this.#enter(caller);
    else if (this.#waiting >= this.#limits().maxWaiting) caller.full();
    else this.#wait(caller);
  }

  /** Gives a slot to the next. */
  free(): void {
    this.#taken--;
    this.admit();
  }

  /** Gives slots that nobody has to those who wait: one came free, or there are more of them. */
  admit(): void {
    while (this.#first !== undefined && !this.full) {
      const { caller } = this.#first;
      this.leave(caller);
      this.#enter(caller);
    }
  }

  /** Lets those who wait go along with others, as long as the next one can. */
  callAlong(): void {
    for (let next = this.#first; next?.caller.along(); next = this.#first) this.leave(next.caller);
  }

  /** Gives up waiting; twice, or later, it does nothing. */
  leave(caller: Caller): void {
    const { place } = caller;
    if (place === undefined) return;
    caller.place = undefined;
    const { before, behind } = place;
    if (before === undefined) this.#first = behind;
    else before.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.before = before;
    place.before = undefined;
    place.behind = undefined;
    this.#waiting--;
  }

  #wait(caller: Caller): void {
    const place: Place = { caller, before: this.#last, behind: undefined };
    caller.place = place;
    if (this.#last === undefined) this.#first = place;
    else this.#last.behind = place;
    this.#last = place;
    this.#waiting++;
  }

  #enter(caller: Caller): void {
    this.#taken++;
    caller.enter();
  }
}
