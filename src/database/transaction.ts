import { toldOfAll } from "../delivery/own-work.ts";
import { showCaller } from "../errors/caller.ts";
import { pointing } from "../errors/direct-caller.ts";
import { DecodeError, isWarmlineError, UsageError, type WarmlineError } from "../errors/errors.ts";
import { transactionFailed, transactionNotBegun, transactionUnread } from "../errors/transaction-failed.ts";
import { bare, begin, COMMIT, ROLLBACK } from "../transports/statements.ts";
import type { ExchangeEnd, Portal, Result, Statement, TransactionMode } from "../transports/transport.ts";
import { isEndOf, runBounded } from "./bounded.ts";
import { finishHeld } from "./finish-held.ts";
import { guardEach, guardInside } from "./guard.ts";
import type { HeldSession } from "./held-session.ts";
import { checkCall, checkWork, optionsOf } from "./options.ts";
import { parsersOf } from "./parsers.ts";
import { Portals } from "./portal.ts";
import { type Batches, type BatchResults, type InnerOptions, makeQueries, type Queries } from "./queries.ts";
import type { RowBatches } from "./row-batches.ts";
import type { Source } from "./sql.ts";
import { toStatements } from "./statement.ts";
import { type InnerStreamOptions, makeStreams, type Streams } from "./streams.ts";

/** An open transaction. It ends with the callback that was given it. */
export interface Transaction extends Queries, Batches, Streams {
  /** Runs statements in one round trip, and gives a result for each. Where one fails, those behind it are not run, and the transaction has failed. */
  batch: Batches["batch"];
  /** A savepoint: what `work` did is undone if it throws, and the outer transaction goes on. Until it ends, queries go through the inner one. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/** What a transaction runs on. */
export interface HeldTransaction extends HeldSession {
  readonly mode: TransactionMode;
}

/**
 * Runs `work` inside a transaction on a held session. BEGIN and SAVEPOINT travel with the statement after them, so n statements cost n + 1
 * round trips; a callback that sends nothing costs none. What it rejects with speaks for all of its work.
 */
export async function runTransaction<T>(
  { session, call, mode, own, traits, observe, comment, rows }: HeldTransaction,
  work: (tx: Transaction, open: OpenBatches) => Promise<T>,
): Promise<T> {
  /** What travels with the next statement. */
  let pending = begin(mode, false, call.settings);
  const portals = new Portals(call.cancellation);
  let begun = false;
  let over = false;
  let unread: DecodeError | undefined;
  /** What ended the transaction before its callback did: its BEGIN was refused, its connection is lost, or a statement ended it. */
  let ended: WarmlineError | undefined;
  /** How many savepoints are open. */
  let depth = 0;
  const finish = finishHeld({ session, call, rows, ends: "open", isOver: () => over });
  let watch = <R>(sent: Promise<R>): Promise<R> => sent;

  /** Sends statements of the caller's, or none, behind what is pending; and what ends the transaction. */
  async function send(
    statements: readonly Statement[],
    ends: ExchangeEnd = "open",
    { rowMode = "object", types, leavesState = false, portal, from }: SendOptions = {},
  ) {
    const all = [...pending, ...statements];
    const prelude = pending.length;
    const first = !begun;
    const closes = portals.takeLeft();
    pending = [];
    begun = true;
    try {
      const parsers = parsersOf(types, call.parsers);
      const follows = !first && ends !== "rollback";
      const results = await session.exchange(all, { ...call, rowMode, parsers, ends, follows, prelude, leavesState, portal, closes });
      own.answered = true;
      const given = results.slice(prelude);
      const finishing = finish(given, statements, { rowMode, parsers, from });
      if (finishing) await finishing;
      return given;
    } catch (error) {
      if (!isWarmlineError(error)) throw error;
      own.errors.add(error);
      if (first && error.fate === "not-sent") begun = false;
      if (error instanceof DecodeError) unread = error;
      else if (session.status !== "failed") ended ??= error;
      throw showCaller(error, send);
    }
  }

  function scope(): Scope {
    const level = depth;
    let isOpen = true;
    const check = () => {
      if (ended !== undefined && session.status === "idle") throw transactionNotBegun();
      if (over || !isOpen) throw unfit("TRANSACTION_OVER", "This transaction is over. Await every query in its callback.");
      if (depth > level) throw unfit("NESTED_QUERY", "A savepoint is open. Use the inner tx until it ends.");
    };
    const open: OpenBatches = (statement, { batchSize, rowMode, types }, leavesState) =>
      portals.open(batchSize, {
        check,
        send: async (portal, from) =>
          (await watch(send([comment(statement)], "open", { rowMode, types, leavesState, portal, from })))[0] as Result,
      });
    const tx: Transaction = {
      ...makeStreams((statement, given) => {
        const options = checkCall(given, optionsOf.streamInside);
        return portals.observed(open(statement, options, guardInside(statement, traits)), (run) =>
          observe({ operation: "stream", within: "transaction", statements: statement }, run),
        );
      }),
      ...makeQueries(async (statement, given) => {
        const options = checkCall(given, optionsOf.inside);
        check();
        const leavesState = guardInside(statement, traits);
        return observe(
          { operation: "query", within: "transaction", statements: statement },
          async () => (await watch(send([comment(statement)], "open", { ...options, leavesState })))[0] as Result,
        );
      }),
      async batch<const S extends readonly Source<unknown>[]>(sources: S, given?: InnerOptions) {
        const options = checkCall(given, optionsOf.inside);
        const statements = toStatements(sources);
        check();
        const leavesState = guardEach(statements, traits);
        if (statements.length === 0) return [] as Result[] as BatchResults<S>;
        const results = await observe({ operation: "batch", within: "transaction", statements }, () =>
          watch(send(statements.map(comment), "open", { ...options, leavesState })),
        );
        return results as BatchResults<S>;
      },
      async transaction(inner) {
        check();
        checkWork(inner);
        traits.lacking?.savepoint();
        return savepoint(inner);
      },
    };
    return {
      tx: pointing(tx),
      open,
      end() {
        isOpen = false;
      },
    };
  }

  async function savepoint<R>(inner: (tx: Transaction) => Promise<R>): Promise<R> {
    const name = `SAVEPOINT warmline_${++depth}`;
    const opening = bare(name);
    const release = bare(`RELEASE ${name}`);
    pending.push(opening);
    const { tx, end } = scope();
    /** Takes the savepoint back if nothing followed it. */
    const close = (): boolean => {
      end();
      depth--;
      const sent = !pending.includes(opening);
      pending = pending.filter((statement) => statement !== opening);
      return sent;
    };
    try {
      const value = await inner(tx);
      if (session.status === "failed") throw transactionFailed();
      if (close()) pending.push(release);
      return value;
    } catch (error) {
      if (close() && !over) {
        // in the place of what was put off in it
        pending = [bare(`ROLLBACK TO ${name}`), release];
        // the error that led here is the one to be told; a connection lost meanwhile refuses what comes next by itself
        await send([]).catch(() => {});
      }
      throw unread !== undefined && error === unread ? transactionUnread(unread) : error;
    }
  }

  try {
    const value = await runBounded(session, call.cancellation, {
      fate: () => (begun ? "refused" : "not-sent"),
      work: (watchSent) => {
        watch = watchSent;
        const { tx, open } = scope();
        return work(tx, open);
      },
    });
    over = true;
    if (ended !== undefined) throw ended;
    if (depth > 0) throw unfit("TRANSACTION_OVER", "A savepoint was open when its transaction was over. Await every tx.transaction().");
    if (begun && (await send([COMMIT], "commit"))[0]?.command !== "COMMIT") throw transactionFailed();
    return value;
  } catch (error) {
    over = true;
    // a lost connection undoes it by itself
    if (session.status !== "idle" || session.busy) {
      pending = [];
      await send([ROLLBACK], "rollback").catch(() => session.destroy());
    }
    throw spokenForAll(error);
  } finally {
    portals.end();
  }

  /** The error of the whole transaction: a later failure does not undo what an earlier one left in doubt, and what was sent was sent. */
  function spokenForAll(error: unknown): unknown {
    if (unread !== undefined && error === unread) return transactionUnread(unread);
    if (ended?.fate === "unknown") return ended;
    if (!begun || !isWarmlineError(error)) return error;
    if (isEndOf(call.cancellation, error)) own.errors.add(error);
    if (own.errors.has(error) && error.fate === "unknown") return error;
    // the error of another database, or of a call beside the transaction, tells nothing of what the transaction did
    return toldOfAll(own, error instanceof UsageError ? (ended ?? error) : error, "refused");
  }
}

/** Rows of a statement in batches, inside a transaction. */
export type OpenBatches = (statement: Statement, options: InnerStreamOptions, leavesState?: boolean) => RowBatches;

/** A transaction, or a savepoint in it. */
interface Scope {
  readonly tx: Transaction;
  readonly open: OpenBatches;
  readonly end: () => void;
}

interface SendOptions extends InnerOptions {
  readonly leavesState?: boolean | undefined;
  readonly portal?: Portal;
  /** How many rows of the portal came before. */
  readonly from?: number;
}

function unfit(code: string, message: string): UsageError {
  return new UsageError(message, { code });
}
