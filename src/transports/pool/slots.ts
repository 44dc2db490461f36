/** Somebody who waits for a slot, and the timer that bounds the wait. */
interface Waiter {
  readonly enter: () => void;
  readonly limit: NodeJS.Timeout | undefined;
}

/** A place in the queue; leaving it twice, or after having entered, does nothing. */
export interface Place {
  leave(): void;
}

/** How many may hold a connection at once, and who waits for it, first come first served. */
export class Slots {
  readonly #max: number;
  readonly #waiters = new Set<Waiter>();
  #taken = 0;
  /** Taken, and not held yet: their connection is on its way. */
  #entering = 0;
  #onDrained: (() => void) | undefined;

  constructor(max: number) {
    this.#max = max;
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

  /** Calls `enter` once a slot is free, at once if one is, or `late` after `limitMs`; 0 for no limit. */
  take(enter: () => void, { limitMs, late }: { readonly limitMs: number; readonly late: () => void }): Place {
    if (!this.full) {
      this.#enter(enter);
      return { leave: () => {} };
    }
    const waiter: Waiter = { enter, limit: limitMs > 0 ? setTimeout(late, limitMs) : undefined };
    this.#waiters.add(waiter);
    return {
      leave: () => {
        clearTimeout(waiter.limit);
        if (this.#waiters.delete(waiter)) this.#noteDrained();
      },
    };
  }

  /** The connection has come, or failed to: then its slot is free again. */
  entered(held: boolean): void {
    this.#entering--;
    if (!held) this.free();
    this.#noteDrained();
  }

  /** Gives a slot to the next. */
  free(): void {
    this.#taken--;
    const [next] = this.#waiters;
    if (next === undefined || this.full) return;
    clearTimeout(next.limit);
    this.#waiters.delete(next);
    this.#enter(next.enter);
  }

  /** Closes the slots; resolves when everybody who waited has entered or left. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#noteDrained();
    });
  }

  #enter(enter: () => void): void {
    this.#taken++;
    this.#entering++;
    enter();
  }

  #noteDrained(): void {
    if (this.#waiters.size === 0 && this.#entering === 0) this.#onDrained?.();
  }
}
