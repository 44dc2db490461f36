// biome-ignore-all lint/suspicious/noTsIgnore: an error under one major of drizzle-orm is none under the other
import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { Logger } from "drizzle-orm/logger";
import type { PgQueryResultHKT, PgTransactionConfig } from "drizzle-orm/pg-core";
import type { PgRemoteQueryResultHKT } from "drizzle-orm/pg-proxy";
import type { BatchCallOptions, Database, DatabaseView, Result, TransactionOptions } from "../entry/node.ts";

// The names of drizzle-orm's two majors stand side by side here: those that the installed one lacks are ignored, and passed over.

/** @ts-ignore 0.45 has none: of an instance that was given no relations */
export type NoRelations = import("drizzle-orm").EmptyRelations;

/** How Drizzle is set up. */
export interface DrizzleOptions<S extends Record<string, unknown> = Record<string, never>, R = NoRelations> {
  /** Tables and their `relations`, for relational queries; of drizzle-orm 0.45. */
  readonly schema?: S | undefined;
  /** What `defineRelations` gave, for relational queries; of drizzle-orm 1.0. */
  readonly relations?: R | undefined;
  /** True for Drizzle's own, which prints statements and their values. Default: none. */
  readonly logger?: boolean | Logger | undefined;
  /** How columns without a name of their own are named; of drizzle-orm 0.45, for in 1.0 tables say it. Default: as their keys. */
  readonly casing?: "snake_case" | "camelCase" | undefined;
}

/** What `execute` gives, and a statement without `returning`: the rows, and beside them everything of a {@link Result}. */
export type Executed<Row> = Row[] & Result<Row>;

/** Tells Drizzle's types what a statement gives. */
export interface ExecutedHKT extends PgQueryResultHKT {
  readonly type: Executed<RowOrAny<this["row"]>>;
}

/** A row as its pg-proxy has it, whose migrator takes no other. */
type AnyRow = PgRemoteQueryResultHKT["type"][number];

type RowOrAny<Row> = [Row] extends [never] ? never : [Row] extends [AnyRow] ? Row : Record<string, unknown>;

/** Modes of a transaction as Drizzle names them, and what else {@link Database.transaction} takes. */
export type DrizzleTransactionOptions = Pick<PgTransactionConfig, "isolationLevel" | "accessMode" | "deferrable"> &
  Pick<TransactionOptions, "deadlineMs" | "signal" | "retries" | "cache">;

/** What {@link Database.batch} takes, save how rows are read. */
export type DrizzleBatchOptions = Omit<BatchCallOptions, "rowMode" | "types">;

/** Whether a type is one that the installed drizzle-orm does not have: in a tuple, for by itself it would be what comes of the question, too. */
type IsMissing<T> = [unknown] extends [T] ? true : false;

/** @ts-ignore 1.0 has other relations */
type Relations0<S extends Record<string, unknown>> = import("drizzle-orm").ExtractTablesWithRelations<S>;
/** @ts-ignore 1.0 names it otherwise */
type Database0<S extends Record<string, unknown>> = import("drizzle-orm/pg-core").PgDatabase<ExecutedHKT, S, Relations0<S>>;
/** @ts-ignore 0.45 names it otherwise */
type Database1<R> = import("drizzle-orm/pg-core").PgAsyncDatabase<ExecutedHKT, R>;
/** @ts-ignore 1.0 names it otherwise */
type Transaction0<S extends Record<string, unknown>> = import("drizzle-orm/pg-core").PgTransaction<ExecutedHKT, S, Relations0<S>>;
/** @ts-ignore 0.45 names it otherwise */
type Transaction1<R> = import("drizzle-orm/pg-core").PgAsyncTransaction<ExecutedHKT, R>;

/** What a transaction's callback is given: Drizzle's own transaction, with savepoints, `rollback` and `setTransaction`. */
export type DrizzleTransaction<S extends Record<string, unknown> = Record<string, never>, R = NoRelations> =
  IsMissing<Transaction1<R>> extends true ? Transaction0<S> : Transaction1<R>;

/** Drizzle's own database, over one of this package. */
export type DrizzleDatabase<
  S extends Record<string, unknown> = Record<string, never>,
  R = NoRelations,
  D extends DatabaseView = Database,
> = (IsMissing<Database1<R>> extends true ? Database0<S> : Database1<R>) & OverWarmline<S, R, D>;

interface OverWarmline<S extends Record<string, unknown>, R, D> {
  /** What it runs on. */
  readonly $client: D;
  /** Runs queries as one transaction in one round trip, and gives what each of them would. Rejects with the database's own error. */
  batch<Item extends BatchItem<"pg">, Items extends Readonly<[Item, ...Item[]]>>(
    queries: Items,
    options?: DrizzleBatchOptions,
  ): Promise<BatchResponse<Items>>;
  /** Runs `work` in a transaction: n statements cost n + 1 round trips. Rejects with what `work` threw, whose `cause` tells the fate of all of it. */
  transaction<T>(work: (tx: DrizzleTransaction<S, R>) => Promise<T>, options?: DrizzleTransactionOptions): Promise<T>;
}
