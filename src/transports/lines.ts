import type { WireSession } from "./wire-session.ts";

/** Calls that may be on their way on one connection. */
const MOST_CALLS = 100;

/**
 * Behind a pooler, calls that share a connection before it has to be still for a moment: its link to the server belongs to one client until
 * everything is answered, and the others wait. Measured through PgBouncer, 4 clients: 12,000 queries a second with 1, 33,000 with 5, 39,300
 * with 20.
 */
const MOST_CALLS_POOLED = 20;

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
  /** How many may still come along. */
  left: number;
}

/** What lines need of whoever holds the connections. */
export interface LinesOptions<L> {
  readonly now: () => number;
  /** Whether a pooler stands between. */
  readonly pooled: boolean;
  /** Gives a lease back whose last call has ended. */
  readonly giveBack: (lease: L) => void;
  /** Calls those along who wait, in their order. */
  readonly callAlong: () => void;
}

/** The leases that are shared now. The connection is given back when the last of its calls has ended. */
export class Lines<L> {
  readonly #options: LinesOptions<L>;
  readonly #open = new Set<Line<L>>();
  /** Where a call came along last. */
  #last: Line<L> | undefined;

  constructor(options: LinesOptions<L>) {
    this.#options = options;
  }

  /** Where one more call may come along: with what leaves in this turn, or where the fewest are; undefined where there is none. */
  best(): Line<L> | undefined {
    if (this.#open.size === 0) return undefined;
    const now = this.#options.now();
    const isFree = (line: Line<L>) => line.left > 0 && line.calls < MOST_CALLS && now < line.openUntil && !line.session.broken;
    const last = this.#last;
    if (last?.session.gathers && last.calls < FEW_CALLS && isFree(last)) return last;
    let best: Line<L> | undefined;
    for (const line of this.#open) if (isFree(line) && (best === undefined || line.calls < best.calls)) best = line;
    return best;
  }

  /** Shares a lease from its first call on. */
  open<T>(lease: L, session: WireSession, send: (session: WireSession) => Promise<T>): Promise<T> {
    const { now, pooled } = this.#options;
    const left = pooled ? MOST_CALLS_POOLED : Number.POSITIVE_INFINITY;
    const line: Line<L> = { lease, session, openUntil: now() + OPEN_MS, calls: 0, left };
    this.#open.add(line);
    const first = this.run(line, send);
    // behind the first, which pg sends when it has told everybody of the login
    queueMicrotask(this.#options.callAlong);
    return first;
  }

  /** Runs a call on a line. */
  run<T>(line: Line<L>, send: (session: WireSession) => Promise<T>): Promise<T> {
    line.calls++;
    line.left--;
    this.#last = line;
    const leave = () => this.#leave(line);
    const sent = send(line.session);
    sent.then(leave, leave);
    return sent;
  }

  #leave(line: Line<L>): void {
    if (--line.calls > 0) {
      this.#options.callAlong();
      return;
    }
    this.#open.delete(line);
    if (this.#last === line) this.#last = undefined;
    this.#options.giveBack(line.lease);
  }
}
