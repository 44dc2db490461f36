/// <reference lib="esnext.disposable" preserve="true" />
import type { Plan } from "../decide/plan.ts";
import { mayRunAgain } from "../delivery/retry.ts";
import { pointing } from "../errors/direct-caller.ts";
import type { EventListener } from "../observe/events.ts";
import type { Result, Statement } from "../transports/transport.ts";
import type { Call } from "./call.ts";
import { Calls } from "./calls.ts";
import { type DatabaseView, makeView } from "./database-view.ts";
import { fallBack } from "./fallback.ts";
import { guardEach, guardQuery, guardSettings, traitsOf } from "./guard.ts";
import { makeHold } from "./hold.ts";
import type { Lacking } from "./lacking.ts";
import { openAround } from "./nesting.ts";
import {
  type BatchCallOptions,
  type CallLimits,
  checkCall,
  checkWork,
  optionsOf,
  type QueryOptions,
  type StreamOptions,
  type TransactionOptions,
} from "./options.ts";
import type { DatabaseParts, RequestContext } from "./parts.ts";
import { makeQueries } from "./queries.ts";
import { type ReservedSession, reserve } from "./reserved-session.ts";
import type { RowBatches } from "./row-batches.ts";
import { makeScript } from "./script.ts";
import type { DatabaseSession } from "./session.ts";
import type { Source } from "./sql.ts";
import { toStatements } from "./statement.ts";
import { type DatabaseStats, noStats } from "./stats.ts";
import { streamAlone } from "./stream.ts";
import { makeStreams } from "./streams.ts";
import type { Transaction } from "./transaction.ts";

export type { CallbackContext, OpenCallback } from "./nesting.ts";
export type { DatabaseParts, Ground, RequestContext } from "./parts.ts";
export type { DatabaseStats } from "./stats.ts";

/** A handle on one database. Every promise rejects with a WarmlineError that has a `code` and a `fate`. */
export interface Database extends DatabaseView, AsyncDisposable {
  /**
   * Holds one connection while `work` runs. What is set on it (settings, locks, temporary tables) ends with it. Until it is over, calls on the
   * database itself from inside `work` reject with NESTED_QUERY.
   */
  session<T>(work: (session: DatabaseSession) => Promise<T>, options?: CallLimits): Promise<T>;
  /**
   * Holds one connection until it is released, or its scope ends: `await using session = await db.session()`. The options bound all the time it is
   * held. Calls on the database beside it are allowed, and need another connection: where there is none (`max: 1`) they wait for it in vain, until
   * ACQUIRE_TIMEOUT. In Workers it ends with its request.
   */
  session(): Promise<ReservedSession>;
  /** The same, bounded: `deadlineMs` and `signal` hold for all the time it is held. */
  session(options: CallLimits): Promise<ReservedSession>;
  /** Runs a text of several statements, for migrations; over `directUrl` where one is given. Rows are not returned. */
  script(text: string, options?: CallLimits): Promise<void>;
  /** What was chosen, and why: frozen, and fit for a log. @throws ConfigError where the environment lacks something */
  readonly plan: Plan;
  /**
   * Runs `work` as one request of a runtime whose sockets belong to requests (Workers): its calls share connections, which end with it; those of a
   * Durable Object's events five seconds after the last. Elsewhere it bounds the calls by the `callsEndAt` of the context, those of every database,
   * and nothing else.
   * @param context the request's `ctx`, or the object's `this.ctx`
   */
  scope<T>(context: RequestContext, work: () => T): T;
  /** Opens a connection now instead of at the first call, where connections are held. Tries once: the first call tries again. */
  warmUp(): Promise<void>;
  /** Ends the connections nobody holds; the next call opens one. A warm-up that is not done is given up, outside of this database's own callbacks: it rejects with ABORTED. */
  release(): Promise<void>;
  /** Counts since the handle was made, numbers only: fit for a log. Costs no I/O. */
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
  const { identity, comment } = calls;
  const hold = makeHold(calls);
  let closing: Promise<void> | undefined;
  /** Gives up all warm-ups since the last release. */
  let warming: AbortController | undefined;

  /** Nothing, where settings are missing: the call tells so itself, in its own time. */
  const lacking = (): Lacking | undefined => {
    try {
      return parts.ground().lacking;
    } catch {
      return undefined;
    }
  };

  function query(statement: Statement, given: QueryOptions | undefined, settings?: Statement): Promise<Result> {
    const options = checkCall(given, optionsOf.query);
    const { fallback } = options;
    if (settings !== undefined) guardSettings(statement);
    const ground = calls.ground();
    if (ground instanceof Promise) return ground;
    guardQuery(statement, ground.lacking);
    const answer = calls.run(settings ? { ...options, settings } : options, {
      operation: "query",
      statements: statement,
      work: (chosen, callOptions) => chosen.query(comment(statement), callOptions),
    });
    if (!fallback) return answer;
    const { clock } = parts.delivery;
    const falling = { fallback, transport: ground.plan.transport, clock, ends: calls.endsOf(options, ground), beganAt: clock.now() };
    return answer.catch((error) => fallBack(error, falling));
  }

  async function batch(sources: readonly Source<unknown>[], given: BatchCallOptions | undefined, settings?: Statement): Promise<Result[]> {
    const options = checkCall(given, optionsOf.batch);
    const statements = toStatements(sources);
    if (statements.length === 0) return [];
    const ground = calls.ground();
    if (ground instanceof Promise) return ground;
    const leavesState = guardEach(statements, traitsOf(ground, settings));
    const mode = ground.lacking?.mode(options) ?? options;
    const work: Call<Result[]>["work"] = (chosen, callOptions) =>
      chosen.batch(statements.map(comment), { ...callOptions, mode, leavesState });
    return calls.run({ ...options, settings }, { operation: "batch", statements, work });
  }

  async function transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    given: TransactionOptions | undefined,
    settings?: Statement,
  ): Promise<T> {
    const options = checkCall(given, optionsOf.transaction);
    checkWork(work);
    const ground = calls.ground();
    if (ground instanceof Promise) return ground;
    const mode = ground.lacking?.mode(options) ?? options;
    const { retries = 0 } = options;
    let runs = 0;
    return hold(
      { ...options, settings },
      {
        operation: "transaction",
        use(held, { runTransaction }, inside) {
          runs++;
          return runTransaction({ ...held, mode }, (tx) => inside(() => work(tx)));
        },
        again: (error) => runs <= retries && mayRunAgain(error),
      },
    );
  }

  function stream(statement: Statement, given: StreamOptions | undefined, settings?: Statement): RowBatches {
    const options = checkCall(given, optionsOf.stream);
    if (settings !== undefined) guardSettings(statement);
    guardQuery(statement, lacking());
    return streamAlone(statement, options, {
      hold: async (holding) => hold({ ...options, settings }, { ...holding, operation: "stream", statements: statement }),
      mayRepeat: (error, number) => calls.mayRepeat(error, options, number),
    });
  }

  async function session<T>(...given: readonly [first?: CallLimits | SessionWork<T>, second?: CallLimits]) {
    const [first, second] = given;
    // a callback that is undefined was not left out
    const isReserved = given.length === 0 || (typeof first === "object" && first !== null && second === undefined);
    const options = checkCall((isReserved ? first : second) as CallLimits | undefined, optionsOf.session);
    const kind = { operation: "session", again: never } as const;
    if (isReserved)
      return reserve((work, onRequestEnd) =>
        hold(options, { ...kind, use: (held, { runSession }) => runSession(held, work), onRequestEnd }),
      );
    checkWork(first);
    return hold(options, {
      ...kind,
      use: (held, { runSession }, inside) => runSession(held, (session) => inside(() => (first as SessionWork<T>)(session))),
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

  return pointing<Database>({
    ...makeQueries(query),
    ...makeStreams((statement, options) => stream(statement, options)),
    batch: (statements, options) => batch(statements, options) as never,
    transaction: (work, options) => transaction(work, options),
    with: (given) => makeView({ query, batch, transaction, stream }, given),
    session: session as Database["session"],
    script: makeScript(calls),
    get plan() {
      return parts.ground().plan;
    },
    async warmUp() {
      // bounded by connecting: what is short for a call is no less than that
      const { requestDeadlineMs: deadlineMs } = parts.ground();
      // what one request has made is not for another
      if (warming === undefined || calls.apart) warming = new AbortController();
      const { signal } = warming;
      await calls
        .run({ signal, deadlineMs }, { work: (chosen, callOptions) => chosen.warmUp(callOptions), repeat: never })
        .catch((error) => {
          if (!signal.aborted) calls.warmedInVain = 1;
          throw error;
        });
    },
    scope: (context, work) => (parts.scope ? parts.scope(context, work) : work()),
    async release() {
      if (!calls.apart && !openAround(callbacks, identity)) {
        warming?.abort();
        warming = undefined;
      }
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
  });
}

type SessionWork<T> = (session: DatabaseSession) => Promise<T>;

const never = (): boolean => false;
