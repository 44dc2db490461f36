import { DecodeError, isWarmlineError, UsageError } from "../errors/errors.ts";
import { transactionFailed, transactionUnread } from "../errors/transaction-failed.ts";
import type { ObserveStatement } from "../observe/observe-call.ts";
import { bare, begin, COMMIT, ROLLBACK } from "../transports/statements.ts";
import type { CallOptions, ExchangePhase, Result, Session, Statement, TransactionMode } from "../transports/transport.ts";
import { runBounded } from "./bounded.ts";
import { refuseTransactionControl } from "./control.ts";
import { checkInner, type InnerOptions, makeQueries, type Queries } from "./queries.ts";

/** An open transaction. It ends with the callback that was given it. */
export interface Transaction extends Queries {
  /** A savepoint: what `work` did is undone if it throws, and the outer transaction goes on. Until it ends, queries go through the inner one. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/** What a transaction runs on. */
export interface HeldTransaction {
  readonly session: Session;
  readonly call: CallOptions;
  readonly mode: TransactionMode;
  readonly observe: ObserveStatement;
}

/**
 * Runs `work` inside a transaction on a held session. BEGIN and SAVEPOINT travel with the statement after them, so n statements cost n + 1
 * round trips; a callback that sends nothing costs none.
 */
export async function runTransaction<T>(
  { session, call, mode, observe }: HeldTransaction,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  /** What travels with the next statement. */
  let pending = [begin(mode)];
  let begun = false;
  let over = false;
  let unread: DecodeError | undefined;
  /** How many savepoints are open. */
  let depth = 0;
  let watch = <R>(sent: Promise<R>): Promise<R> => sent;

  async function send(statements: readonly Statement[], phase: ExchangePhase = "open", { rowMode = "object" }: InnerOptions = {}) {
    const prelude = pending.length;
    const all = [...pending, ...statements];
    pending = [];
    begun = true;
    try {
      return (await watch(session.exchange(all, { ...call, rowMode, phase, prelude }))).slice(prelude);
    } catch (error) {
      if (error instanceof DecodeError) unread = error;
      throw error;
    }
  }

  /** What was done is undone: the fate of an answer that could not be read is another then. */
  const undone = (error: unknown) => (unread !== undefined && error === unread ? transactionUnread(unread) : error);

  function scope(): Transaction {
    const own = depth;
    const check = () => {
      if (over || depth < own) throw unfit("TRANSACTION_OVER", "This transaction is over. Await every query in its callback.");
      if (depth > own) throw unfit("NESTED_QUERY", "A savepoint is open. Use the inner tx until it ends.");
    };
    return {
      ...makeQueries(async (statement, given) => {
        const options = checkInner(given);
        check();
        refuseTransactionControl(statement);
        return observe(statement, async () => (await send([statement], "open", options))[0] as Result);
      }),
      async transaction(inner) {
        check();
        return savepoint(inner);
      },
    };
  }

  async function savepoint<R>(inner: (tx: Transaction) => Promise<R>): Promise<R> {
    const name = `SAVEPOINT warmline_${++depth}`;
    const opening = bare(name);
    const release = bare(`RELEASE ${name}`);
    pending.push(opening);
    /** Takes the savepoint back if nothing followed it. */
    const close = (): boolean => {
      depth--;
      const sent = !pending.includes(opening);
      pending = pending.filter((statement) => statement !== opening);
      return sent;
    };
    try {
      const value = await inner(scope());
      if (session.status === "failed") throw transactionFailed();
      if (close()) pending.push(release);
      return value;
    } catch (error) {
      // the error that led here is the one to be told; a connection lost meanwhile refuses what comes next by itself
      if (close() && !over) await send([bare(`ROLLBACK TO ${name}`), release]).catch(() => {});
      throw undone(error);
    }
  }

  try {
    const value = await runBounded(session, call.cancellation, {
      fate: () => (begun ? "refused" : "not-sent"),
      work: (watchSent) => {
        watch = watchSent;
        return work(scope());
      },
    });
    over = true;
    if (begun && (await send([COMMIT], "commit"))[0]?.command !== "COMMIT") throw transactionFailed();
    return value;
  } catch (error) {
    over = true;
    // a lost connection undoes it by itself
    if (session.status !== "idle" || session.busy) {
      pending = [];
      await send([ROLLBACK]).catch(() => session.destroy());
    }
    throw undone(error);
  }
}

function unfit(code: string, message: string): UsageError {
  return new UsageError(message, { code });
}

/** Whether a transaction's callback may be run again, whole: only what the server or the loss of the connection undid. */
export function mayRunAgain(error: unknown): boolean {
  return isWarmlineError(error) && error.retryable && (error.fate === "refused" || error.fate === "not-sent");
}
