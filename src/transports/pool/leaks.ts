/** How much of a stack is kept. */
const FRAMES = 40;

/** A connection that is held, and where it was taken. */
interface Held {
  readonly since: number;
  readonly limitMs: number;
  readonly takenAt: string;
  readonly id: () => string;
  timer?: NodeJS.Timeout;
}

/** A connection that is held for too long. */
export interface Leak {
  readonly connectionId: string;
  readonly heldMs: number;
  readonly stack: string;
}

/** What is looked for, and who is told. */
export interface LeakWatchOptions {
  /** Null for never. Asked at every checkout, for it may change. */
  readonly thresholdMs: () => number | null;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** Called once for each connection that is held for too long. */
  readonly report: (leak: Leak) => void;
}

/**
 * Watches over connections somebody holds. A timer tells of one that is never given back; the wall clock, asked at every checkout, where
 * timers stand still.
 */
export class LeakWatch {
  readonly #options: LeakWatchOptions;
  readonly #held = new Set<Held>();

  constructor(options: LeakWatchOptions) {
    this.#options = options;
  }

  /**
   * Remembers who asks, where leaks are looked for. To be called when the connection is there, with a function that gives its name: then it is
   * watched, until the function that gives is called.
   */
  takenHere(): ((id: () => string) => () => void) | undefined {
    const limitMs = this.#options.thresholdMs();
    if (limitMs === null) return undefined;
    const { stackTraceLimit } = Error;
    // the caller stands above a dozen frames of this package
    Error.stackTraceLimit = FRAMES;
    const { stack = "" } = new Error();
    Error.stackTraceLimit = stackTraceLimit;
    return (id) => this.#hold({ since: this.#options.now(), limitMs, takenAt: stack.replace(/^Error.*\n/, ""), id });
  }

  #hold(held: Held): () => void {
    held.timer = setTimeout(() => this.#report(held), held.limitMs).unref();
    this.#held.add(held);
    return () => this.#forget(held);
  }

  /** Reports what is held for too long by the wall clock. */
  check(): void {
    for (const held of this.#held) if (this.#options.now() - held.since >= held.limitMs) this.#report(held);
  }

  #report(held: Held): void {
    this.#forget(held);
    // a clock that was set back does not make it shorter
    const heldMs = Math.max(held.limitMs, this.#options.now() - held.since);
    this.#options.report({ connectionId: held.id(), heldMs, stack: held.takenAt });
  }

  #forget(held: Held): void {
    clearTimeout(held.timer);
    this.#held.delete(held);
  }
}
