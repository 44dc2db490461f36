import type { WireSession } from "../wire-session.ts";
import type { Lease } from "./lease.ts";

/** Calls that may be on their way on one connection. */
const MOST_CALLS = 100;

/** So many on one connection do not wait for the server, whose answers leave together: fewer writes and reads for more calls. */
const FEW_CALLS = 8;

/** A connection goes back to the pool after so long, to be judged anew, milliseconds. */
const OPEN_MS = 1_000;

/** A lease that several calls share, each with an exchange of its own. */
export interface Line {
  readonly lease: Lease;
  readonly session: WireSession;
  /** Until when others may come along, milliseconds of the wall clock. */
  readonly openUntil: number;
  /** How many are on their way. */
  calls: number;
  /** Its neighbours among those that are open. */
  before: Line | undefined;
  behind: Line | undefined;
}

/** What a pool's lines need of it. */
export interface LinesOptions {
  readonly now: () => number;
  /** Gives a lease back whose last call has ended. */
  readonly giveBack: (lease: Lease) => void;
  /** Whether anybody waits. */
  readonly isAwaited: () => boolean;
  /** Calls those along who wait, in their order. */
  readonly callAlong: () => void;
}

/** The leases of a pool that are shared now. The connection is given back when the last of its calls has ended. */
export class Lines {
  readonly #options: LinesOptions;
  /** The first of those that are open. No Set: its former tables point to those that took their place, and would keep what was shared. */
  #first: Line | undefined;
  /** Where a call came along last. */
  #last: Line | undefined;

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  /** Where one more call may come along: with what leaves in this turn, or where the fewest are; undefined where there is none. */
  best(): Line | undefined {
    if (this.#first === undefined) return undefined;
    const now = this.#options.now();
    const isFree = (line: Line) => line.calls < MOST_CALLS && now < line.openUntil && !line.session.broken;
    const last = this.#last;
    if (last?.session.gathers && last.calls < FEW_CALLS && isFree(last)) return last;
    let best: Line | undefined;
    for (let line: Line | undefined = this.#first; line !== undefined; line = line.behind) {
      if (isFree(line) && (best === undefined || line.calls < best.calls)) best = line;
    }
    return best;
  }

  /** Shares a lease from its first call on, which is to be sent now. */
  open(lease: Lease, session: WireSession): Line {
    const line: Line = { lease, session, openUntil: this.#options.now() + OPEN_MS, calls: 0, before: undefined, behind: this.#first };
    if (this.#first !== undefined) this.#first.before = line;
    this.#first = line;
    this.enter(line);
    // behind the first, which pg sends when it has told everybody of the login
    if (this.#options.isAwaited()) queueMicrotask(this.#options.callAlong);
    return line;
  }

  /** One more call is on its way. */
  enter(line: Line): void {
    line.calls++;
    this.#last = line;
  }

  /** A call has ended. */
  leave(line: Line): void {
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
