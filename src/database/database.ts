import type { Plan } from "../decide/plan.ts";
import { Deadline } from "../delivery/deadline.ts";
import { type DeliveryContext, deliver } from "../delivery/deliver.ts";
import { mayRepeat } from "../delivery/retry.ts";
import { UsageError, type WarmlineError } from "../errors/errors.ts";
import type {
  CallOptions,
  ParserSet,
  Result,
  Session,
  Statement,
  Transport,
  TransportName,
  TransportStats,
} from "../transports/transport.ts";
import { refuseTransactionControl } from "./control.ts";
import { type BatchCallOptions, type CallLimits, checkCall, optionsOf, type QueryOptions, type TransactionOptions } from "./options.ts";
import { makeQueries, type Queries } from "./queries.ts";
import { type DatabaseSession, runSession } from "./session.ts";
import { type RowOf, type Sql, toStatement } from "./sql.ts";
import { mayRunAgain, runTransaction, type Transaction } from "./transaction.ts";

/** A handle on one database. Every promise rejects with a WarmlineError that has a `code` and a `fate`. */
export interface Database extends Queries<QueryOptions>, AsyncDisposable {
  /** Runs statements as one transaction in one round trip, and gives a result for each. */
  batch<const S extends readonly Sql<unknown>[]>(
    statements: S,
    options?: BatchCallOptions,
  ): Promise<{ -readonly [Index in keyof S]: Result<RowOf<S[Index]>> }>;
  /** Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. n statements cost n + 1 round trips. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Holds one connection while `work` runs. */
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
  /** Ends the connections nobody holds, one that a warm-up is opening too; the next call opens one. */
  release(): Promise<void>;
  stats(): DatabaseStats;
  /** Refuses new calls, lets running ones finish, and gives the connections up. Where connections belong to requests it waits for no call: those in use end with it. */
  close(): Promise<void>;
}

/** Numbers since the database was made; those of a shared pool are the pool's. */
export interface DatabaseStats extends TransportStats {
  /** Null before the first call. */
  readonly transport: TransportName | null;
  /** Calls tried again. */
  readonly retries: number;
  /** Calls on their way. */
  readonly running: number;
}

/** What a database stands on, once its environment is known. */
export interface Ground {
  readonly plan: Plan;
  readonly deadlineMs: number;
  readonly parsers: ParserSet;
  /** Made at the first call; the same one for all. */
  readonly transport: () => Transport | Promise<Transport>;
  /** Where scripts run, when that is another address; closed after each. */
  readonly directTransport: () => Promise<Transport | undefined>;
}

/** What a database is made of; the entry fills it in. */
export interface DatabaseParts {
  /** @throws ConfigError where the environment lacks something; asked again by the next call */
  readonly ground: () => Ground;
  readonly delivery: Omit<DeliveryContext, "onRetry">;
  /** Knows which transactions a piece of code runs inside; absent where the runtime has no AsyncLocalStorage. */
  readonly transactions: TransactionContext | undefined;
  /** Makes a scope for the connections of one request; absent where connections belong to no request. */
  readonly scope: Database["scope"] | undefined;
}

/** What a platform hands to the handler of one request. */
export interface RequestContext {
  /** Keeps what belongs to the request alive until the promise settles. */
  waitUntil(promise: Promise<unknown>): void;
}

/** The part of AsyncLocalStorage that is needed. */
export interface TransactionContext {
  getStore(): OpenTransaction | undefined;
  run<T>(store: OpenTransaction, work: () => T): T;
}

/** A transaction whose callback runs, and the one around it. */
export interface OpenTransaction {
  readonly database: object;
  readonly outer: OpenTransaction | undefined;
}

interface Limits extends CallLimits {
  readonly readOnly?: boolean | undefined;
  readonly idempotent?: boolean | undefined;
  readonly rowMode?: "object" | "array" | undefined;
}

/** A database over its parts. Nothing is connected or read from the environment before the first call. */
export function makeDatabase(parts: DatabaseParts): Database {
  const { transactions } = parts;
  const context = { ...parts.delivery, onRetry: () => retries++ };
  const identity = {};
  let transport: Transport | undefined;
  let retries = 0;
  let running = 0;
  let closing: Promise<void> | undefined;
  let warming: Promise<void> | undefined;
  let onIdle: (() => void) | undefined;

  /** One call: its deadline, its attempts, and its end. No async function: each promise on a query's way costs CPU in every query. */
  function call<T>(
    limits: Limits,
    work: (transport: Transport, options: CallOptions) => Promise<T>,
    repeat = (error: WarmlineError, number: number) => mayRepeat(error, limits, number),
  ): Promise<T> {
    if (closing !== undefined) throw new UsageError("The database has been closed. Create a new one.", { code: "CLOSED" });
    for (let open = transactions?.getStore(); open !== undefined; open = open.outer) if (open.database === identity) throw nested();
    const ground = parts.ground();
    const { deadlineMs = ground.deadlineMs, signal, cache, readOnly = false, idempotent = false, rowMode = "object" } = limits;
    const cancellation = new Deadline(context.clock, { deadlineMs: deadlineMs || Number.POSITIVE_INFINITY, signal });
    const begin = (chosen: Transport, attempt: number) =>
      work(chosen, { cancellation, rowMode, parsers: ground.parsers, cache, readOnly, idempotent, attempt });
    const attempt = async (number: number) => {
      transport = await ground.transport();
      return begin(transport, number);
    };
    const onEnd = () => {
      cancellation.dispose();
      if (--running === 0) onIdle?.();
    };
    running++;
    return deliver(
      { cancellation, mayRepeat: repeat, onEnd },
      (number) => (transport ? begin(transport, number) : attempt(number)),
      context,
    );
  }

  function query(statement: Statement, given: QueryOptions | undefined): Promise<Result> {
    const options = checkCall(given, optionsOf.query);
    refuseTransactionControl(statement);
    return call(options, (chosen, callOptions) => chosen.query(statement, callOptions));
  }

  async function batch(sources: readonly Sql<unknown>[], given: BatchCallOptions | undefined): Promise<Result[]> {
    const options = checkCall(given, optionsOf.batch);
    if (!Array.isArray(sources)) throw new UsageError("A batch is an array of sql`…`.", { code: "INVALID_STATEMENT" });
    const statements = sources.map((source) => toStatement(source));
    statements.forEach(refuseTransactionControl);
    if (statements.length === 0) return [];
    return call(options, (chosen, callOptions) => chosen.batch(statements, { ...callOptions, mode: options }));
  }

  /** Holds a connection while `use` runs; once `use` has begun, `again` alone says whether it may begin anew. */
  function hold<T>(options: Limits, { begins, use, again }: Holding<T>): Promise<T> {
    let begun = false;
    return call(
      options,
      (chosen, callOptions) => {
        requireSession(chosen);
        begun = false;
        const start = (session: Session) => {
          begun = true;
          return use(session, callOptions);
        };
        return chosen.session(start, { ...callOptions, begins });
      },
      (error, number) => (begun ? again(error, number) : mayRepeat(error, {}, number)),
    );
  }

  async function transaction<T>(work: (tx: Transaction) => Promise<T>, given: TransactionOptions | undefined): Promise<T> {
    const options = checkCall(given, optionsOf.transaction);
    const { retries: most = 0 } = options;
    const marked = (tx: Transaction) =>
      transactions ? transactions.run({ database: identity, outer: transactions.getStore() }, () => work(tx)) : work(tx);
    return hold(options, {
      begins: true,
      use: (session, callOptions) => runTransaction({ session, call: callOptions, mode: options }, marked),
      again: (error, number) => number <= most && mayRunAgain(error),
    });
  }

  async function session<T>(work: (session: DatabaseSession) => Promise<T>, given: CallLimits | undefined): Promise<T> {
    return hold(checkCall(given, optionsOf.session), {
      begins: false,
      use: (held, callOptions) => runSession(held, callOptions, work),
      again: never,
    });
  }

  async function script(text: string, given: CallLimits | undefined): Promise<void> {
    const options = checkCall(given, optionsOf.session);
    toStatement(text);
    await call(options, async (chosen, callOptions) => {
      const direct = await parts.ground().directTransport();
      const over = direct ?? chosen;
      requireSession(over);
      try {
        await over.session((held) => held.script(text, callOptions), { ...callOptions, begins: false });
      } finally {
        await direct?.[Symbol.asyncDispose]();
      }
    });
  }

  /** Whether what another request began must not be waited for: there promises belong to the request that made them. */
  const keepsApart = () => (running > 0 || transport !== undefined) && parts.ground().plan.traits.ioScope === "request";

  async function end(): Promise<void> {
    if (running > 0 && !keepsApart()) {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
    }
    await transport?.[Symbol.asyncDispose]();
  }

  function close(): Promise<void> {
    if (closing === undefined || keepsApart()) closing = end();
    return closing;
  }

  return {
    ...makeQueries(query),
    batch: batch as Database["batch"],
    transaction,
    session,
    script,
    get plan() {
      return parts.ground().plan;
    },
    async warmUp() {
      warming = call({}, (chosen, callOptions) => chosen.warmUp(callOptions), never);
      await warming;
    },
    scope: (context, work) => (parts.scope ? parts.scope(context, work) : work()),
    async release() {
      if (!keepsApart()) await warming?.catch(() => {});
      await transport?.release();
    },
    stats: () => ({ ...(transport?.stats() ?? noStats), transport: transport?.name ?? null, retries, running }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Work on a held connection. */
interface Holding<T> {
  readonly begins: boolean;
  readonly use: (session: Session, call: CallOptions) => Promise<T>;
  readonly again: (error: WarmlineError, number: number) => boolean;
}

const never = (): boolean => false;
const noStats: TransportStats = { total: 0, idle: 0, waiting: 0, connects: 0, reuses: 0, probes: 0, discarded: 0 };

function nested(): UsageError {
  return new UsageError("This call goes around the transaction it is made in. Use tx.", { code: "NESTED_QUERY" });
}

function requireSession(transport: Transport): void {
  if (!transport.can.session) throw new UsageError("There are no sessions without WebSocket. Use db.batch().", { code: "NO_SESSION" });
}
