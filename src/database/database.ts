import type { Plan } from "../decide/plan.ts";
import { makeBreaker } from "../delivery/breaker.ts";
import { makeRetryBudget } from "../delivery/budget.ts";
import { noWork, type OwnWork } from "../delivery/own-work.ts";
import type { EventListener } from "../observe/events.ts";
import type { Result, Session, Statement } from "../transports/transport.ts";
import { Calls, type Limits } from "./calls.ts";
import { fallBack } from "./fallback.ts";
import { guardEach, guardQuery, guardScript } from "./guard.ts";
import type { HeldSession, ObserveWithin } from "./held-session.ts";
import { checkWork, requireSession } from "./misuse.ts";
import { openAround, runOpen } from "./nesting.ts";
import {
  type BatchCallOptions,
  type CallLimits,
  checkCall,
  optionsOf,
  type QueryOptions,
  type StreamOptions,
  type TransactionOptions,
} from "./options.ts";
import type { DatabaseParts, RequestContext } from "./parts.ts";
import type { RowBatches } from "./portal.ts";
import { makeQueries, type Queries } from "./queries.ts";
import { type DatabaseSession, runSession } from "./session.ts";
import { type Row, type RowOf, type Source, type Sql, toStatement, toStatements } from "./sql.ts";
import { type DatabaseStats, noStats } from "./stats.ts";
import { streamAlone } from "./stream.ts";
import { makeStreams, type Streams } from "./streams.ts";
import { mayRunAgain, runTransaction, type Transaction } from "./transaction.ts";
import type { Holding } from "./work.ts";

export type { CallbackContext, OpenCallback } from "./nesting.ts";
export type { DatabaseParts, Ground, RequestContext } from "./parts.ts";
export type { DatabaseStats } from "./stats.ts";

/** A handle on one database. Every promise rejects with a WarmlineError that has a `code` and a `fate`. */
export interface Database extends Omit<Queries, "query">, Streams<StreamOptions>, AsyncDisposable {
  /** Sends one statement. Rejects with a WarmlineError that has a `fate`; what needs a session is refused, with `SESSION_STATE`. */
  query<R = Row>(statement: Sql<R>, options?: QueryOptions<R>): Promise<Result<R>>;
  query<R = Row>(statement: Source<R>, options?: QueryOptions<R>): Promise<Result<R>>;
  query<R = Row>(text: string, values?: readonly unknown[], options?: QueryOptions<R>): Promise<Result<R>>;
  /** Runs statements as one transaction in one round trip, and gives a result for each. */
  batch<const S extends readonly Source<unknown>[]>(
    statements: S,
    options?: BatchCallOptions,
  ): Promise<{ -readonly [Index in keyof S]: Result<RowOf<S[Index]>> }>;
  /**
   * Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. n statements cost n + 1 round trips. Until it is over,
   * calls on the database itself from inside `work` reject with NESTED_QUERY.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Holds one connection while `work` runs. What is set on it (settings, locks, temporary tables) ends with it. Until it is over, calls on the
   * database itself from inside `work` reject with NESTED_QUERY.
   */
  session<T>(work: (session: DatabaseSession) => Promise<T>, options?: CallLimits): Promise<T>;
  /** Runs a text of several statements, for migrations; over `directUrl` where one is given. Rows are not returned. */
  script(text: string, options?: CallLimits): Promise<void>;
  /** What was chosen, and why: frozen, and fit for a log. @throws ConfigError where the environment lacks something */
  readonly plan: Plan;
  /**
   * Runs `work` as one request of a runtime whose sockets belong to requests (Workers): its calls share connections, which end with it.
   * Elsewhere it runs `work`, and nothing else.
   * @param context the request's `ctx`
   */
  scope<T>(context: RequestContext, work: () => T): T;
  /** Opens a connection now instead of at the first call, where connections are held. Tries once: the first call tries again. */
  warmUp(): Promise<void>;
  /** Ends the connections nobody holds; the next call opens one. Waits for a warm-up, outside of this database's own callbacks. */
  release(): Promise<void>;
  stats(): DatabaseStats;
  /** Calls `listener` for every event from now on; returns a function that ends this. Without a listener no event is made. */
  subscribe(listener: EventListener): () => void;
  /**
   * Refuses new calls, lets running ones finish, and gives the connections up. Where connections belong to requests it waits for no call: those
   * in use end with it. Inside a callback of this database's own it waits for nothing: what is left is given up when that callback has ended.
   */
  close(): Promise<void>;
}

/** A database over its parts. Nothing is connected or read from the environment before the first call. */
export function makeDatabase(parts: DatabaseParts): Database {
  const { callbacks, events } = parts;
  const calls = new Calls(parts);
  const { identity } = calls;
  const directBudget = makeRetryBudget();
  let closing: Promise<void> | undefined;
  let warming: Promise<void> | undefined;

  const traits = () => parts.ground().plan.capabilities;

  function query(statement: Statement, given: QueryOptions | undefined): Promise<Result> {
    const options = checkCall(given, optionsOf.query);
    const { fallback } = options;
    guardQuery(statement);
    const answer = calls.run(options, {
      operation: "query",
      statements: statement,
      work: (chosen, callOptions) => chosen.query(statement, callOptions),
    });
    return fallback ? answer.catch((error) => fallBack(error, { fallback, transport: parts.ground().plan.transport })) : answer;
  }

  async function batch(sources: readonly Source<unknown>[], given: BatchCallOptions | undefined): Promise<Result[]> {
    const options = checkCall(given, optionsOf.batch);
    const statements = toStatements(sources);
    if (statements.length === 0) return [];
    const leavesState = guardEach(statements, traits());
    return calls.run(options, {
      operation: "batch",
      statements,
      work: (chosen, callOptions) => chosen.batch(statements, { ...callOptions, mode: options, leavesState }),
    });
  }

  /** Holds a connection while `use` runs; once `use` has begun, `again` alone says whether it may begin anew. */
  function hold<T>(options: Limits, { operation, statements, use, again }: Holding<T>): Promise<T> {
    let own: OwnWork | undefined;
    return calls.run(options, {
      operation,
      statements,
      own: () => own,
      work(chosen, callOptions) {
        requireSession(chosen);
        own = undefined;
        const start = (session: Session) => {
          const attempt = noWork();
          own = attempt;
          return runOpen(callbacks, { database: identity, handle: operation === "session" ? operation : "tx" }, (inside) =>
            use({ session, call: callOptions, own: attempt, traits: traits(), observe, open }, inside),
          );
        };
        return chosen.session(start, { ...callOptions, begins: operation !== "session" });
      },
      repeat: (error, number) => (own ? again(error, number) : calls.mayRepeat(error, {}, number)),
    });
  }

  const observe: ObserveWithin = (called, run) => calls.observe({ ...called, attempts: () => 1 }, run);

  const open: HeldSession["open"] = (work) => runOpen(callbacks, { database: identity, handle: "tx" }, work);

  async function transaction<T>(work: (tx: Transaction) => Promise<T>, given: TransactionOptions | undefined): Promise<T> {
    const options = checkCall(given, optionsOf.transaction);
    checkWork(work);
    const { retries: most = 0 } = options;
    return hold(options, {
      operation: "transaction",
      use: (held, inside) => runTransaction({ ...held, mode: options }, (tx) => inside(() => work(tx))),
      again: (error, number) => number <= most && mayRunAgain(error),
    });
  }

  function stream(statement: Statement, given: StreamOptions | undefined): RowBatches {
    const options = checkCall(given, optionsOf.stream);
    guardQuery(statement);
    return streamAlone(statement, options, {
      hold: async (holding) => hold(options, { ...holding, operation: "stream", statements: statement }),
      mayRepeat: (error, number) => calls.mayRepeat(error, options, number),
    });
  }

  async function session<T>(work: (session: DatabaseSession) => Promise<T>, given: CallLimits | undefined): Promise<T> {
    const options = checkCall(given, optionsOf.session);
    checkWork(work);
    return hold(options, {
      operation: "session",
      use: (held, inside) => runSession(held, (session) => inside(() => work(session))),
      again: never,
    });
  }

  async function script(text: string, given: CallLimits | undefined): Promise<void> {
    const options = checkCall(given, optionsOf.session);
    toStatement(text);
    const { directTransport } = parts.ground();
    // what stands at another address has its own traits
    const leavesState = directTransport !== null || guardScript(text, traits());
    await calls.run(options, {
      operation: "script",
      // what cannot be reached there tells nothing of the database's own address, and costs nothing of its budget
      elsewhere: directTransport && { breaker: makeBreaker(() => {}), budget: directBudget },
      async work(chosen, callOptions) {
        const direct = await directTransport?.();
        const over = direct ?? chosen;
        requireSession(over);
        try {
          await over.session((held) => held.script(text, { ...callOptions, leavesState }), { ...callOptions, begins: false });
        } finally {
          await direct?.[Symbol.asyncDispose]();
        }
      },
    });
  }

  async function end(): Promise<void> {
    await calls.close();
    await calls.transport?.[Symbol.asyncDispose]();
  }

  function close(): Promise<void> {
    if (closing === undefined || calls.apart) closing = end();
    // it would wait for the callback that waits for it
    return openAround(callbacks, identity) ? Promise.resolve() : closing;
  }

  return {
    ...makeQueries(query),
    ...makeStreams(stream),
    batch: batch as Database["batch"],
    transaction,
    session,
    script,
    get plan() {
      return parts.ground().plan;
    },
    async warmUp() {
      warming = calls.run({}, { work: (chosen, callOptions) => chosen.warmUp(callOptions), repeat: never });
      await warming.catch((error) => {
        calls.warmedInVain = 1;
        throw error;
      });
    },
    scope: (context, work) => (parts.scope ? parts.scope(context, work) : work()),
    async release() {
      if (!calls.apart && !openAround(callbacks, identity)) await warming?.catch(() => {});
      await calls.transport?.release();
    },
    stats: () => ({
      ...noStats,
      ...calls.transport?.stats(),
      transport: calls.transport?.name ?? null,
      retries: calls.retries,
      running: calls.running,
      breaker: calls.context.breaker.state,
    }),
    subscribe: events.add,
    close,
    [Symbol.asyncDispose]: close,
  };
}

const never = (): boolean => false;
