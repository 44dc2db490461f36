import { pointing } from "../errors/direct-caller.ts";
import type { Result, Statement } from "../transports/transport.ts";
import { type CheckedSettings, checkSettings, type LocalSettings, settingStatement } from "./local-settings.ts";
import type { BatchCallOptions, QueryOptions, StreamOptions, TransactionOptions } from "./options.ts";
import { type BatchResults, makeQueries, type Queries } from "./queries.ts";
import type { RowBatches } from "./row-batches.ts";
import type { Row, Source, Sql } from "./sql.ts";
import { makeStreams, type Streams } from "./streams.ts";
import type { Transaction } from "./transaction.ts";

/** What calls can be made on: a database, or a view of it whose statements run under settings. */
export interface DatabaseView extends Omit<Queries, "query">, Streams<StreamOptions> {
  /** Sends one statement. Rejects with a WarmlineError that has a `fate`; what needs a session is refused, with `SESSION_STATE`. */
  query<R = Row>(statement: Sql<R>, options?: QueryOptions<R>): Promise<Result<R>>;
  /** The same for what else is a statement: `{ text, values }`. */
  query<R = Row>(statement: Source<R>, options?: QueryOptions<R>): Promise<Result<R>>;
  /** The same for a text with `$1`, `$2` …, and its values. */
  query<R = Row>(text: string, values?: readonly unknown[], options?: QueryOptions<R>): Promise<Result<R>>;
  /** Runs statements as one transaction in one round trip, and gives a result for each. */
  batch<const S extends readonly Source<unknown>[]>(statements: S, options?: BatchCallOptions): Promise<BatchResults<S>>;
  /**
   * Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. n statements cost n + 1 round trips. Until it is over,
   * calls on the database itself from inside `work` reject with NESTED_QUERY.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * A view of the database whose every statement runs under these settings and this role, for its transaction alone: they travel with it, in the
   * same round trip, and nothing stays on the connection. That is what policies of row-level security ask for. Text that could change them is
   * refused, with `SETTING_CONTROL`; what functions do inside is not seen. The view of a view has the settings of both, and the inner one wins.
   *
   * @example const own = db.with({ settings: { "app.tenant": tenant }, role: "app_user" });
   * @throws UsageError INVALID_OPTION for a name that cannot be set, a role that is none, or nothing; UNDEFINED_VALUE, UNSUPPORTED_VALUE and the
   * like for a value
   */
  with(given: LocalSettings): DatabaseView;
}

/** The calls of a database, each of which can be put under settings. */
export interface SettableCalls {
  query(statement: Statement, options: QueryOptions | undefined, settings: Statement): Promise<Result>;
  batch(statements: readonly Source<unknown>[], options: BatchCallOptions | undefined, settings: Statement): Promise<Result[]>;
  transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions | undefined, settings: Statement): Promise<T>;
  stream(statement: Statement, options: StreamOptions | undefined, settings: Statement): RowBatches;
}

/** A view of a database under settings. @throws UsageError as {@link DatabaseView.with} does */
export function makeView(calls: SettableCalls, given: LocalSettings, outer?: CheckedSettings): DatabaseView {
  const checked = checkSettings(given, outer);
  const settings = settingStatement(checked);
  return pointing<DatabaseView>({
    ...makeQueries<QueryOptions>((statement, options) => calls.query(statement, options, settings)),
    ...makeStreams<StreamOptions>((statement, options) => calls.stream(statement, options, settings)),
    batch: ((statements, options) => calls.batch(statements, options, settings)) as DatabaseView["batch"],
    transaction: (work, options) => calls.transaction(work, options, settings),
    with: (inner) => makeView(calls, inner, checked),
  });
}
