import type { Transaction } from "../entry/node.ts";
import { UsageError } from "../errors/errors.ts";
import { type Held, hold } from "./held.ts";

/** Begins a transaction, as `db.transaction` does. */
export type Begin = (work: (tx: Transaction) => Promise<void>) => Promise<void>;

/** A savepoint by the name its ORM knows it by. */
interface Savepoint {
  readonly name: string;
  readonly held: Held<Transaction>;
}

/**
 * A transaction as ORMs drive it, step by step, over the callbacks of `db.transaction`: BEGIN and SAVEPOINT travel with the statement after them,
 * and a savepoint is given up without a round trip of its own.
 */
export class OpenTransaction {
  readonly #outer: Held<Transaction>;
  readonly #savepoints: Savepoint[] = [];

  private constructor(outer: Held<Transaction>) {
    this.#outer = outer;
  }

  /** Resolves when there is a connection for it, on which nothing was sent yet. */
  static async begin(begin: Begin): Promise<OpenTransaction> {
    return new OpenTransaction(await hold(begin));
  }

  /** What the next statement goes through. */
  get tx(): Transaction {
    return (this.#savepoints.at(-1)?.held ?? this.#outer).handle;
  }

  /** Rejects with TRANSACTION_FAILED where the server rolls back instead. */
  async commit(): Promise<void> {
    try {
      await this.#endFrom(0);
    } catch (error) {
      await this.rollback();
      throw error;
    }
    await this.#outer.end();
  }

  /** Never rejects. */
  async rollback(): Promise<void> {
    await this.#outer.undo();
    // they are undone with it, and have nothing to send any more
    await this.#undoFrom(0);
  }

  async savepoint(name: string): Promise<void> {
    const { tx } = this;
    this.#savepoints.push({ name, held: await hold<Transaction>((work) => tx.transaction(work)) });
  }

  /** What was done since is undone, and the savepoint stays, as in SQL. @throws UsageError INVALID_STATEMENT for a name that is not open */
  async rollbackTo(name: string): Promise<void> {
    await this.#undoFrom(this.#indexOf(name));
    await this.savepoint(name);
  }

  /** @throws UsageError INVALID_STATEMENT for a name that is not open */
  async release(name: string): Promise<void> {
    const index = this.#indexOf(name);
    try {
      await this.#endFrom(index);
    } catch (error) {
      // a statement in it had failed: it can be rolled back to still
      await this.#undoFrom(index);
      await this.savepoint(name);
      throw error;
    }
  }

  /** Ends savepoints well, the innermost first; from one that cannot be, they stay open. */
  async #endFrom(index: number): Promise<void> {
    while (this.#savepoints.length > index) {
      await this.#savepoints.at(-1)?.held.end();
      this.#savepoints.pop();
    }
  }

  async #undoFrom(index: number): Promise<void> {
    for (const { held } of this.#savepoints.splice(index).reverse()) await held.undo();
  }

  #indexOf(name: string): number {
    const index = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (index === -1) throw new UsageError("No savepoint of this name is open.", { code: "INVALID_STATEMENT" });
    return index;
  }
}
