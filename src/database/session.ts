import { toldOfAll } from "../delivery/own-work.ts";
import { showCaller } from "../errors/caller.ts";
import { pointing } from "../errors/direct-caller.ts";
import { isWarmlineError, UsageError } from "../errors/errors.ts";
import { transactionFailed } from "../errors/transaction-failed.ts";
import { blockControl } from "../syntax/block-control.ts";
import { begin, COMMIT, ROLLBACK } from "../transports/statements.ts";
import type { ExchangeEnd, ParserSet, Portal, Result, Statement, TransactionMode, Via } from "../transports/transport.ts";
import { isEndOf, runBounded } from "./bounded.ts";
import { finishHeld } from "./finish-held.ts";
import { guardEach, guardHeld, guardInside } from "./guard.ts";
import type { HeldSession } from "./held-session.ts";
import { checkCall, checkWork, optionsOf } from "./options.ts";
import { parsersOf } from "./parsers.ts";
import { openedLate, Portals } from "./portal.ts";
import { type Batches, type InnerOptions, makeQueries, type Queries } from "./queries.ts";
import type { RowBatches } from "./row-batches.ts";
import { SessionLedger, sessionOver } from "./session-ledger.ts";
import { SessionTurns } from "./session-turns.ts";
import type { Source } from "./sql.ts";
import { toStatements } from "./statement.ts";
import { type StreamGround, streamAlone } from "./stream.ts";
import { type InnerStreamOptions, makeStreams, type Streams } from "./streams.ts";
import { runTransaction, type Transaction } from "./transaction.ts";

/** What a batch of a session can be told. */
export interface SessionBatchOptions extends InnerOptions, TransactionMode {}

/** A connection held for one caller. What is set on it ends with it: before anybody else has the connection, it is as new. */
export interface DatabaseSession extends Queries, Batches<SessionBatchOptions>, Streams {
  /**
   * Runs statements as one transaction in one round trip, and gives a result for each. Inside a transaction that the caller's own BEGIN has
   * opened they belong to that one, whose modes stand: giving any is refused, with `TRANSACTION_CONTROL`.
   */
  batch: Batches<SessionBatchOptions>["batch"];
  /**
   * Runs `work` in a transaction on this connection: committed when it resolves, rolled back when it rejects, and the session goes on. n
   * statements cost n + 1 round trips. Until it is over, calls on the session reject with NESTED_QUERY. Where the caller's own BEGIN has opened
   * one it rejects with TRANSACTION_CONTROL. It is tried once: its connection may be what failed.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionMode): Promise<T>;
  /** Which connection it is. */
  readonly via: Via;
}

/** What is known of a session's end. */
export interface SessionEnding {
  /** Whether a call on it has rejected for the end of the whole, by its deadline or signal. */
  readonly isTold: boolean;
}

/**
 * Runs `work` on a held session, statement by statement, as the caller writes them: transaction control included. What it rejects with speaks
 * for all of its work: once a statement has stayed done, or may have, the fate is `unknown`, whatever became of a later one.
 */
export async function runSession<T>(held: HeldSession, work: (session: DatabaseSession, ending: SessionEnding) => Promise<T>): Promise<T> {
  const { call, own, traits, observe, comment, open, rows } = held;
  const session = new SessionLedger(held.session, own);
  const finish = finishHeld({ session, call, rows, ends: "free", isOver: () => session.over });
  const turns = new SessionTurns();
  const portals = new Portals(call.cancellation);
  const ending = { isTold: false };

  function check(): void {
    if (session.over) {
      const end = call.cancellation.reason?.("not-sent");
      ending.isTold ||= end !== undefined;
      throw end ?? sessionOver();
    }
    turns.check();
  }

  async function send(statements: readonly Statement[], { from, ...how }: SendOptions): Promise<Result[]> {
    try {
      const results = await session.exchange(statements, { ...call, ...how, closes: portals.takeLeft() });
      const finishing = finish(results, statements, { rowMode: how.rowMode, parsers: how.parsers, from });
      if (finishing) await finishing;
      return results;
    } catch (error) {
      if (!isWarmlineError(error)) throw error;
      own.errors.add(error);
      throw showCaller(error, send);
    }
  }

  const modeHere = <M extends TransactionMode>(mode: M): M => traits.lacking?.mode(mode) ?? mode;

  const sent = ({ rowMode = "object", types }: InnerOptions) => ({ rowMode, parsers: parsersOf(types, call.parsers) });

  async function query(statement: Statement, how: Pick<SendOptions, "leavesState" | "follows">, options: InnerOptions): Promise<Result> {
    while (turns.committing !== undefined) await turns.committing;
    return (await send([comment(statement)], { ...sent(options), ...how, ends: "free" }))[0] as Result;
  }

  async function batch(statements: readonly Statement[], leavesState: boolean, options: SessionBatchOptions): Promise<Result[]> {
    while (turns.committing !== undefined) await turns.committing;
    const how = { ...sent(options), leavesState };
    return session.status === "idle" ? commitAll(statements, how, options) : send(statements, { ...how, ends: "open" });
  }

  async function commitAll(statements: readonly Statement[], how: Omit<SendOptions, "ends">, options: TransactionMode): Promise<Result[]> {
    const opening = begin(options, statements.length === 1);
    const whole = [...opening, ...statements, COMMIT];
    const prelude = opening.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    turns.committing = promise;
    try {
      const results = await send(whole, { ...how, ends: "commit", prelude, readOnly: options.readOnly ?? false });
      if (results.at(-1)?.command !== "COMMIT") throw transactionFailed();
      return results.slice(prelude, -1);
    } finally {
      // one that failed stands open
      if (session.status === "failed") await send([ROLLBACK], { ...how, ends: "rollback" }).catch(() => session.destroy());
      turns.committing = undefined;
      resolve();
    }
  }

  /** In the transaction that the caller's own BEGIN has opened, or in one of its own. */
  function stream(statement: Statement, options: InnerStreamOptions, { watch, leavesState }: StreamWatch): RowBatches {
    const told = { operation: "stream", within: "session", statements: statement } as const;
    const isIdle = () => session.status === "idle";
    return openedLate(() => {
      check();
      turns.checkControl();
      if (isIdle()) {
        const hold: StreamGround["hold"] = ({ use }) =>
          turns.occupy("stream", () =>
            observe(told, (traced) => watch(use({ ...held, session: traced?.hold(session) ?? session }, { runTransaction }))),
          );
        return streamAlone(statement, options, { hold, mayRepeat: () => false, leavesState });
      }
      const batches = portals.open(options.batchSize, {
        check() {
          check();
          if (isIdle()) throw new UsageError("The transaction that this stream was read in is over.", { code: "TRANSACTION_OVER" });
        },
        send: async (portal, from) => {
          const how = { ...sent(options), ends: "open", leavesState, portal, from } as const;
          return (await watch(send([comment(statement)], how)))[0] as Result;
        },
      });
      return portals.observed(batches, (run) => observe(told, run));
    });
  }

  /** Runs `work` as the handle says, ended with the whole. */
  function handle(watch: <R>(sent: Promise<R>) => Promise<R>): DatabaseSession {
    const queries = makeQueries<InnerOptions>(async (statement, given) => {
      return turns.inLine(blockControl(statement.text), async (follows) => {
        const options = checkCall(given, optionsOf.inside);
        check();
        const how = { leavesState: guardHeld(statement, traits), follows };
        return observe({ operation: "query", within: "session", statements: statement }, () => watch(query(statement, how, options)));
      });
    });
    const streams = makeStreams<InnerStreamOptions>((statement, given) =>
      stream(statement, checkCall(given, optionsOf.streamInside), {
        watch,
        leavesState: guardInside(statement, traits) || traits.sessionState,
      }),
    );
    const whole = Object.assign(queries, streams, {
      via: session.via,
      async batch(sources: readonly Source<unknown>[], given?: SessionBatchOptions) {
        const options = modeHere(checkCall(given, optionsOf.sessionBatch));
        const statements = toStatements(sources);
        check();
        const { isolation, readOnly, deferrable } = options;
        const hasModes = (isolation ?? readOnly ?? deferrable) !== undefined;
        turns.checkControl(hasModes && session.status !== "idle" ? "Its modes stand: give none." : undefined);
        const leavesState = guardEach(statements, traits) || traits.sessionState;
        if (statements.length === 0) return [];
        return observe({ operation: "batch", within: "session", statements }, () =>
          watch(batch(statements.map(comment), leavesState, options)),
        );
      },
      async transaction<R>(inner: (tx: Transaction) => Promise<R>, given?: TransactionMode) {
        const mode = modeHere(checkCall(given, optionsOf.sessionTransaction));
        checkWork(inner);
        check();
        turns.checkControl(session.status === "idle" ? undefined : "End it first, or use SAVEPOINT.");
        const within = { ...held, mode, call: { ...call, readOnly: mode.readOnly ?? false } };
        return turns.occupy("transaction", () =>
          observe({ operation: "transaction", within: "session" }, (traced) => {
            const on = traced?.hold(session) ?? session;
            return watch(open((inside) => runTransaction({ ...within, session: on }, (tx) => inside(() => inner(tx)))));
          }),
        );
      },
    }) as DatabaseSession;
    return pointing(whole);
  }

  try {
    const value = await runBounded(session, call.cancellation, {
      fate: () => (session.done ? "unknown" : session.begun ? "refused" : "not-sent"),
      onTold: () => {
        ending.isTold = true;
      },
      work: (watch) => work(handle(watch), ending),
    });
    if (turns.occupant !== undefined) {
      const message = `A ${turns.occupant} was open when its session was over. Await every session.transaction(), and read streams to their end.`;
      throw new UsageError(message, { code: "SESSION_OVER" });
    }
    return value;
  } catch (error) {
    if (!session.begun || !isWarmlineError(error)) throw error;
    // what nobody waits for is still done
    const mayStay = session.done || session.busy;
    if (isEndOf(call.cancellation, error)) own.errors.add(error);
    if (own.errors.has(error) && (error.fate === "unknown" || (error.fate === "applied" && mayStay))) throw error;
    // the error of another database, or of a call beside the session, tells nothing of what the session did
    throw toldOfAll(own, error, mayStay ? "unknown" : "refused");
  } finally {
    portals.end();
    await session.end();
  }
}

interface SendOptions {
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
  readonly ends: ExchangeEnd;
  readonly leavesState: boolean;
  readonly follows?: boolean;
  readonly prelude?: number;
  readonly readOnly?: boolean;
  readonly portal?: Portal;
  /** How many rows of the portal came before. */
  readonly from?: number;
}

/** What a stream is read with. */
interface StreamWatch {
  readonly watch: <R>(sent: Promise<R>) => Promise<R>;
  readonly leavesState: boolean;
}
