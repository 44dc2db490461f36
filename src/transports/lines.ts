import type { WireSession } from "./wire-session.ts";

/** Calls that may be on their way on one connection. */
const MOST_CALLS = 100;

/** So many on one connection do not wait for the server, whose answers leave together: fewer writes and reads for more calls. */
const FEW_CALLS = 8;

/** A connection goes back to the pool after so long, to be judged anew, milliseconds. */
const OPEN_MS = 1_000;

/** A lease that several calls share, each with an exchange of its own. */
export interface Line<L> {
  readonly lease: L;
  readonly session: WireSession;
  /** Until when others may come along, milliseconds of the wall clock. */
  readonly openUntil: number;
  /** How many are on their way. */
  calls: number;
  /** What they cost the server, milliseconds. */
  costMs: number;
  /** Its neighbours among those that are open. */
  before: Line<L> | undefined;
  behind: Line<L> | undefined;
}

/** What lines need of whoever holds the connections. */
export interface LinesOptions<L> {
  readonly now: () => number;
  /** How long an answer may take that is fast, milliseconds: nobody stands behind calls that take longer together. */
  readonly slowMs: () => number;
  /** Gives a lease back whose last call has ended. */
  readonly giveBack: (lease: L) => void;
  /** Whether anybody waits. */
  readonly isAwaited: () => boolean;
  /** Calls those along who wait, in their order. */
  readonly callAlong: () => void;
}

/** The leases that are shared now. The connection is given back when the last of its calls has ended. */
export class Lines<L> {
  readonly #options: LinesOptions<L>;
  /** The first of those that are open. No Set: its former tables point to those that took their place, and would keep what was shared. */
  #first: Line<L> | undefined;
  /** Where a call came along last. */
  #last: Line<L> | undefined;

  constructor(options: LinesOptions<L>) {
    this.#options = options;
  }

  /** Where one more call may come along: with what leaves in this turn, or where the fewest are; undefined where there is none. */
  best(): Line<L> | undefined {
    if (this.#first === undefined) return undefined;
    const now = this.#options.now();
    const slowMs = this.#options.slowMs();
    const slowSince = performance.now() - slowMs;
    const isFree = ({ calls, costMs, openUntil, session }: Line<L>) =>
      calls < MOST_CALLS && costMs < slowMs && now < openUntil && !session.broken && session.headSince >= slowSince;
    const last = this.#last;
    if (last?.session.gathers && last.calls < FEW_CALLS && isFree(last)) return last;
    let best: Line<L> | undefined;
    for (let line: Line<L> | undefined = this.#first; line !== undefined; line = line.behind) {
      if (isFree(line) && (best === undefined || line.calls < best.calls)) best = line;
    }
    return best;
  }

  /** Shares a lease from its first call on, which is to be sent now, and what that costs. */
  open(lease: L, session: WireSession, costMs: number): Line<L> {
    const line: Line<L> = {
      lease,
      session,
      openUntil: this.#options.now() + OPEN_MS,
      calls: 0,
      costMs: 0,
      before: undefined,
      behind: this.#first,
    };
    if (this.#first !== undefined) this.#first.before = line;
    this.#first = line;
    this.enter(line, costMs);
    // behind the first, which pg sends when it has told everybody of the login
    if (this.#options.isAwaited()) queueMicrotask(this.#options.callAlong);
    return line;
  }

  /** One more call is on its way. */
  enter(line: Line<L>, costMs: number): void {
    line.calls++;
    line.costMs += costMs;
    this.#last = line;
  }

  /** A call has ended, which cost as much as when it came. */
  leave(line: Line<L>, costMs: number): void {
    line.costMs -= costMs;
    if (--line.calls > 0) {
      this.#options.callAlong();
      return;
    }
    const { before, behind } = line;
    if (before === undefined) this.#first = behind;
    else before.behind = behind;
    if (behind !== undefined) behind.before = before;
    line.before = undefined;
    line.behind = undefined;
    if (this.#last === line) this.#last = undefined;
    this.#options.giveBack(line.lease);
  }
}
