import { UsageError } from "../errors/errors.ts";
import type { BlockControl } from "../syntax/block-control.ts";

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
  #controlling = 0;
  /** Whether the last of them that changes it leaves a transaction open, as they were called. */
  #opens = false;
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
    if (this.#controlling > 0) throw unfit("A transaction is being begun or ended. Await that first.");
    if (instead !== undefined) throw unfit(`A transaction of this session's own is open. ${instead}`);
  }

  /**
   * Runs a statement of the caller's own behind those that were called before it. It is told whether it stands in a transaction that one of these is
   * to begin, and is not to run where that is refused.
   */
  async inLine<R>(control: BlockControl | undefined, run: (follows: boolean) => Promise<R>): Promise<R> {
    if (this.#controlling === 0) this.#opens = false;
    const follows = this.#opens && control !== "opens";
    if (control === undefined) return run(follows);
    this.#controlling++;
    if (control !== "keeps") this.#opens = control === "opens";
    try {
      return await run(follows);
    } finally {
      this.#controlling--;
    }
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
