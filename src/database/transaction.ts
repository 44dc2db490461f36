import { isWarmlineError, UsageError } from "../errors/errors.ts";
import { transactionFailed } from "../errors/transaction-failed.ts";
import { bare, begin, COMMIT, ROLLBACK } from "../transports/statements.ts";
import type { CallOptions, ExchangePhase, Result, Session, Statement, TransactionMode } from "../transports/transport.ts";
import { runBounded } from "./bounded.ts";
import { refuseTransactionControl } from "./control.ts";
import { checkInner, makeQueries, type Queries } from "./queries.ts";

/** An open transaction. It ends with the callback that was given it. */
export interface Transaction extends Queries {
  /** A savepoint: what `work` did is undone if it throws, and the outer transaction goes on. Until it ends, queries go through the inner one. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/**
 * Runs `work` inside a transaction on a held session. BEGIN and SAVEPOINT travel with the statement after them, so n statements cost n + 1
 * round trips; a callback that sends nothing costs none.
 */
export async function runTransaction<T>(held: HeldTransaction, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const flow = new Flow(held);
  try {
    const value = await flow.run(work);
    await flow.commit();
    return value;
  } catch (error) {
    await flow.rollback();
    throw error;
  }
}

/** What a transaction runs on. */
export interface HeldTransaction {
  readonly session: Session;
  readonly call: CallOptions;
  readonly mode: TransactionMode;
}

/** The statements of one transaction in their order: what waits to travel with the next, and which savepoint is innermost. */
class Flow {
  readonly #held: HeldTransaction;
  #pending: Statement[];
  #begun = false;
  #over = false;
  #depth = 0;
  #watch: <R>(sent: Promise<R>) => Promise<R> = (sent) => sent;

  constructor(held: HeldTransaction) {
    this.#held = held;
    this.#pending = [begin(held.mode)];
  }

  /** Runs the callback, bounded by the call. */
  run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { session, call } = this.#held;
    return runBounded(session, call.cancellation, {
      fate: () => (this.#begun ? "refused" : "not-sent"),
      work: (watch) => {
        this.#watch = watch;
        return work(this.#scope());
      },
    });
  }

  #scope(): Transaction {
    const depth = this.#depth;
    const check = () => {
      if (this.#over || this.#depth < depth) throw ended();
      if (this.#depth > depth) throw innerOpen();
    };
    return {
      ...makeQueries(async (statement, options) => {
        const { rowMode = "object" } = checkInner(options);
        check();
        refuseTransactionControl(statement);
        return (await this.#send([statement], "open", rowMode))[0] as Result;
      }),
      transaction: async (work) => {
        check();
        return this.#savepoint(work);
      },
    };
  }

  async commit(): Promise<void> {
    this.#over = true;
    if (!this.#begun) return;
    const results = await this.#send([COMMIT], "commit");
    if (results.at(-1)?.command !== "COMMIT") throw transactionFailed();
  }

  /** Undoes what was done, and keeps silent: the error that led here is the one to be told. A lost connection undoes it by itself. */
  async rollback(): Promise<void> {
    this.#over = true;
    const { session } = this.#held;
    if (session.status === "idle" && !session.busy) return;
    this.#pending = [];
    await this.#send([ROLLBACK], "open").catch(() => session.destroy());
  }

  async #savepoint<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const name = `warmline_${++this.#depth}`;
    const savepoint = bare(`SAVEPOINT ${name}`);
    this.#pending.push(savepoint);
    try {
      const value = await work(this.#scope());
      if (this.#held.session.status === "failed") throw transactionFailed();
      this.#depth--;
      if (!this.#unsent(savepoint)) this.#pending.push(bare(`RELEASE SAVEPOINT ${name}`));
      return value;
    } catch (error) {
      this.#depth--;
      if (!this.#unsent(savepoint) && !this.#over) await this.#undo(name);
      throw error;
    }
  }

  /** The error that led here is the one to be told; a connection lost meanwhile refuses what comes next by itself. */
  async #undo(name: string): Promise<void> {
    await this.#send([bare(`ROLLBACK TO SAVEPOINT ${name}`), bare(`RELEASE SAVEPOINT ${name}`)], "open").catch(() => {});
  }

  /** Takes a savepoint back that nothing followed. */
  #unsent(savepoint: Statement): boolean {
    const index = this.#pending.indexOf(savepoint);
    if (index < 0) return false;
    this.#pending.splice(index, 1);
    return true;
  }

  async #send(statements: readonly Statement[], phase: ExchangePhase, rowMode: "object" | "array" = "object"): Promise<Result[]> {
    const prelude = this.#pending;
    this.#pending = [];
    this.#begun = true;
    const { session, call } = this.#held;
    const results = await this.#watch(session.exchange([...prelude, ...statements], { ...call, rowMode, phase, prelude: prelude.length }));
    return results.slice(prelude.length);
  }
}

function ended(): UsageError {
  return new UsageError("This transaction is over. Await every query in its callback.", {
    code: "TRANSACTION_OVER",
  });
}

function innerOpen(): UsageError {
  return new UsageError("A savepoint is open in this transaction. Use the inner tx until it ends.", {
    code: "NESTED_QUERY",
  });
}

/** Whether a transaction's callback may be run again, whole: only what the server or the loss of the connection undid. */
export function mayRunAgain(error: unknown): boolean {
  return isWarmlineError(error) && error.retryable && (error.fate === "refused" || error.fate === "not-sent");
}
