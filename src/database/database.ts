import type { Plan } from "../decide/plan.ts";
import { Deadline } from "../delivery/deadline.ts";
import { type DeliveryContext, deliver } from "../delivery/deliver.ts";
import { mayRepeat, type RepeatClaims } from "../delivery/retry.ts";
import { UsageError, type WarmlineError } from "../errors/errors.ts";
import type { CallOptions, ParserSet, Result, Statement, Transport, TransportName, TransportStats } from "../transports/transport.ts";
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
  /** Opens a connection now instead of at the first call, where connections are held. */
  warmUp(): Promise<void>;
  /** Ends the connections nobody holds; the next call opens one. */
  release(): Promise<void>;
  stats(): DatabaseStats;
  /** Refuses new calls, lets running ones finish, and gives the connections up. */
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

/** What a database is made of; the entry fills it in. */
export interface DatabaseParts {
  readonly plan: () => Plan;
  readonly deadlineMs: () => number;
  readonly parsers: () => ParserSet;
  /** Made at the first call. */
  readonly transport: () => Transport | Promise<Transport>;
  /** Where scripts run, when that is another address; closed after each. */
  readonly directTransport: () => Promise<Transport | undefined>;
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
  let onIdle: (() => void) | undefined;

  /** One call: its deadline, its attempts, and its end. */
  async function call<T>(
    limits: Limits,
    attempt: (transport: Transport, options: CallOptions) => Promise<T>,
    repeat = repeatBy(limits),
  ): Promise<T> {
    if (closing !== undefined) throw closed();
    if (transactions !== undefined) refuseInside(transactions, identity);
    running++;
    let cancellation: Deadline | undefined;
    try {
      transport ??= await parts.transport();
      const chosen = transport;
      const { deadlineMs = parts.deadlineMs(), signal, cache, readOnly = false, idempotent = false, rowMode = "object" } = limits;
      cancellation = new Deadline(context.clock, { deadlineMs: deadlineMs || Number.POSITIVE_INFINITY, signal });
      const options = { cancellation, rowMode, parsers: parts.parsers(), cache, readOnly, idempotent };
      return await deliver({ cancellation, mayRepeat: repeat }, (number) => attempt(chosen, { ...options, attempt: number }), context);
    } finally {
      cancellation?.dispose();
      if (--running === 0) onIdle?.();
    }
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
    const { isolation, readOnly, deferrable } = options;
    return call(options, (chosen, callOptions) => chosen.batch(statements, { ...callOptions, mode: { isolation, readOnly, deferrable } }));
  }

  async function transaction<T>(work: (tx: Transaction) => Promise<T>, given: TransactionOptions | undefined): Promise<T> {
    const options = checkCall(given, optionsOf.transaction);
    const { isolation, readOnly, deferrable, retries: again = 0 } = options;
    let begun = false;
    const repeat = (error: WarmlineError, number: number) =>
      begun ? number <= again && mayRunAgain(error) : mayRepeat(error, noClaims, number);
    return call(
      { ...options, readOnly },
      (chosen, callOptions) => {
        requireSession(chosen);
        begun = false;
        return chosen.session(
          (session) => {
            begun = true;
            const held = { session, call: callOptions, mode: { isolation, readOnly, deferrable } };
            if (transactions === undefined) return runTransaction(held, work);
            return runTransaction(held, (tx) => transactions.run({ database: identity, outer: transactions.getStore() }, () => work(tx)));
          },
          { ...callOptions, begins: true },
        );
      },
      repeat,
    );
  }

  async function session<T>(work: (session: DatabaseSession) => Promise<T>, given: CallLimits | undefined): Promise<T> {
    const options = checkCall(given, optionsOf.session);
    let begun = false;
    return call(
      options,
      (chosen, callOptions) => {
        requireSession(chosen);
        return chosen.session(
          (held) => {
            begun = true;
            return runSession(held, callOptions, work);
          },
          { ...callOptions, begins: false },
        );
      },
      (error, number) => !begun && mayRepeat(error, noClaims, number),
    );
  }

  async function script(text: string, given: CallLimits | undefined): Promise<void> {
    const options = checkCall(given, optionsOf.session);
    toStatement(text);
    await call(options, async (chosen, callOptions) => {
      const direct = await parts.directTransport();
      const over = direct ?? chosen;
      requireSession(over);
      try {
        await over.session((held) => held.script(text, callOptions), { ...callOptions, begins: false });
      } finally {
        await direct?.[Symbol.asyncDispose]();
      }
    });
  }

  function close(): Promise<void> {
    closing ??= (async () => {
      if (running > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      await transport?.[Symbol.asyncDispose]();
    })();
    return closing;
  }

  return {
    ...makeQueries(query),
    batch: batch as Database["batch"],
    transaction,
    session,
    script,
    get plan() {
      return parts.plan();
    },
    scope: (context, work) => (parts.scope ? parts.scope(context, work) : work()),
    warmUp: () => call({}, (chosen, callOptions) => chosen.warmUp(callOptions)),
    async release() {
      await transport?.release();
    },
    stats: () => ({ ...(transport?.stats() ?? noStats), transport: transport?.name ?? null, retries, running }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const noClaims: RepeatClaims = { readOnly: false, idempotent: false };
const noStats: TransportStats = { total: 0, idle: 0, waiting: 0, connects: 0, reuses: 0, probes: 0, discarded: 0 };

function repeatBy({ readOnly = false, idempotent = false }: Limits): (error: WarmlineError, attempt: number) => boolean {
  return (error, attempt) => mayRepeat(error, { readOnly, idempotent }, attempt);
}

function refuseInside(transactions: TransactionContext, database: object): void {
  for (let open = transactions.getStore(); open !== undefined; open = open.outer) {
    if (open.database === database) {
      throw new UsageError("This call goes around the transaction it is made in. Use tx inside the callback.", { code: "NESTED_QUERY" });
    }
  }
}

function requireSession(transport: Transport): void {
  if (transport.can.session) return;
  throw new UsageError("No session can be had here, for there is no WebSocket. Use db.batch().", { code: "NO_SESSION" });
}

function closed(): UsageError {
  return new UsageError("The database has been closed. Create a new one.", { code: "CLOSED" });
}
