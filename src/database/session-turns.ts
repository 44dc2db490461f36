import { UsageError } from "../errors/errors.ts";

/** What can have a session's connection to itself, and what to do meanwhile. */
const meanwhile = {
  transaction: "Use its tx until it ends.",
  stream: "Read it to its end first, or read it in a transaction.",
} as const;

/** Whose turn it is on a session, so that nothing runs inside of what another call has begun. */
export class SessionTurns {
  /** What has the connection to itself until it ends. */
  occupant: keyof typeof meanwhile | undefined;
  /** How many statements of the caller's own are on their way that begin or end a transaction. */
  controlling = 0;
  /** The batch that is on its way as a transaction by itself, to its end. Whoever comes meanwhile waits for it, and asks again. */
  committing: Promise<unknown> | undefined;

  /** Refuses a call beside what has the connection to itself. @throws UsageError NESTED_QUERY */
  check(): void {
    const { occupant } = this;
    if (occupant !== undefined) throw new UsageError(`A ${occupant} is open. ${meanwhile[occupant]}`, { code: "NESTED_QUERY" });
  }

  /**
   * Refuses what may begin a transaction, where nobody knows whether one is open, or where the caller's own is, and that is in the way: then it is
   * told what to do `instead`. @throws UsageError TRANSACTION_CONTROL
   */
  checkControl(instead?: string): void {
    if (this.controlling > 0) throw unfit("A transaction is being begun or ended. Await that first.");
    if (instead !== undefined) throw unfit(`A transaction of this session's own is open. ${instead}`);
  }

  /** Runs what has the connection to itself. */
  async occupy<R>(as: keyof typeof meanwhile, work: () => Promise<R>): Promise<R> {
    this.occupant = as;
    try {
      while (this.committing !== undefined) await this.committing;
      return await work();
    } finally {
      this.occupant = undefined;
    }
  }
}

const unfit = (message: string): UsageError => new UsageError(message, { code: "TRANSACTION_CONTROL" });
