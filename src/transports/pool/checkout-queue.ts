/** What becomes of a caller. Exactly one of the functions is called, and none once it has left. */
export interface Caller {
  /** A slot is free, maybe at once. */
  readonly enter: (turn: Turn) => void;
  /** None was free within `limitMs`; 0 for no limit. */
  readonly late: () => void;
  readonly limitMs: number;
  /** None is free, and too many wait already. */
  readonly full: () => void;
}

/** A caller's place in the queue, and then its slot. */
export class Turn {
  readonly caller: Caller;
  limit: NodeJS.Timeout | undefined;
  readonly #slots: CheckoutQueue;

  constructor(slots: CheckoutQueue, caller: Caller) {
    this.#slots = slots;
    this.caller = caller;
  }

  /** Gives up waiting, or the connection that is on its way; twice, or later, it does nothing. */
  leave(): void {
    this.#slots.forget(this);
  }

  /** The connection has come, or failed to: then the slot is free again. */
  entered(held: boolean): void {
    if (!held) this.#slots.free();
    this.#slots.forget(this);
  }
}

/** How many may hold a connection at once, and who waits for it, first come first served. */
export class CheckoutQueue {
  readonly #max: number;
  readonly #maxWaiting: number;
  readonly #waiters = new Set<Turn>();
  /** Whose connection is on its way, and still wanted. */
  readonly #entering = new Set<Turn>();
  #taken = 0;
  #onDrained: (() => void) | undefined;

  constructor(max: number, maxWaiting: number) {
    this.#max = max;
    this.#maxWaiting = maxWaiting;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Whether the next one has to wait. */
  get full(): boolean {
    return this.#taken >= this.#max;
  }

  /** Whether nobody may enter any more. */
  get closed(): boolean {
    return this.#onDrained !== undefined;
  }

  /** Takes a slot, or a place in the queue; undefined when there is neither. */
  take(caller: Caller): Turn | undefined {
    if (!this.full) return this.#enter(new Turn(this, caller));
    if (this.#waiters.size >= this.#maxWaiting) {
      caller.full();
      return undefined;
    }
    const turn = new Turn(this, caller);
    if (caller.limitMs > 0) turn.limit = setTimeout(caller.late, caller.limitMs);
    this.#waiters.add(turn);
    return turn;
  }

  /** Gives a slot to the next. */
  free(): void {
    this.#taken--;
    const [next] = this.#waiters;
    if (next === undefined || this.full) return;
    clearTimeout(next.limit);
    this.#waiters.delete(next);
    this.#enter(next);
  }

  /** Nobody waits for this turn any more. */
  forget(turn: Turn): void {
    clearTimeout(turn.limit);
    if (this.#waiters.delete(turn) || this.#entering.delete(turn)) this.#noteDrained();
  }

  /** Closes the slots; resolves when nobody waits any more, neither for a slot nor for a connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#noteDrained();
    });
  }

  #enter(turn: Turn): Turn {
    this.#taken++;
    this.#entering.add(turn);
    turn.caller.enter(turn);
    return turn;
  }

  #noteDrained(): void {
    if (this.#waiters.size === 0 && this.#entering.size === 0) this.#onDrained?.();
  }
}
