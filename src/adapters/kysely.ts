import * as kysely from "kysely";
import type { Database, DatabaseView, TypeParsers } from "../entry/node.ts";
import { isWarmlineError, UsageError } from "../errors/errors.ts";
import { checkDatabase } from "./check-database.ts";
import { WarmlineConnection } from "./kysely-connection.ts";

/** How a dialect reads rows. */
export interface WarmlineDialectOptions {
  /** Parsers for what goes through this dialect alone. Default: those of the database. */
  readonly types?: TypeParsers | undefined;
}

/**
 * Kysely over a database, or a view of one under settings (`db.with`), on every runtime: queries go as `db.query` sends them, one round trip each and over HTTP one POST; a connection is
 * held for transactions and `connection()` alone. A signal cancels the statement at the server. `destroy` closes nothing: the database is yours.
 * Also what better-auth takes as `{ dialect, type: "postgres" }`, and MikroORM as `driverOptions`.
 *
 * @throws UsageError INVALID_OPTION for what is no database; ORM_VERSION at the first query, where Kysely is older than 0.29
 * @example const kysely = new Kysely<Tables>({ dialect: new WarmlineDialect(db) });
 */
export class WarmlineDialect implements kysely.Dialect {
  readonly #db: Database | DatabaseView;
  readonly #options: WarmlineDialectOptions;

  constructor(db: Database | DatabaseView, options: WarmlineDialectOptions = {}) {
    checkDatabase(db, "WarmlineDialect");
    this.#db = db;
    this.#options = options;
  }

  createDriver(): kysely.Driver {
    return new WarmlineDriver(this.#db, this.#options);
  }

  createQueryCompiler(): kysely.QueryCompiler {
    return new kysely.PostgresQueryCompiler();
  }

  createAdapter(): kysely.DialectAdapter {
    return new WarmlineAdapter();
  }

  createIntrospector(db: kysely.Kysely<unknown>): kysely.DatabaseIntrospector {
    return new kysely.PostgresIntrospector(db);
  }
}

/** Kysely's own lock of migrations, which others take, too. */
const MIGRATION_LOCK = "3853314791062309107";

/** In a transaction the lock of migrations ends with it: poolers keep none beyond one. */
class WarmlineAdapter extends kysely.PostgresAdapter {
  override async acquireMigrationLock(db: kysely.Kysely<unknown>, options: kysely.MigrationLockOptions): Promise<void> {
    if (!db.isTransaction) return super.acquireMigrationLock(db, options);
    await kysely.sql`select pg_advisory_xact_lock(${kysely.sql.lit(MIGRATION_LOCK)}::int8)`.execute(db);
  }

  override async releaseMigrationLock(db: kysely.Kysely<unknown>, options: kysely.MigrationLockOptions): Promise<void> {
    if (!db.isTransaction) await super.releaseMigrationLock(db, options);
  }
}

/** What Kysely hands over with an operation. */
type Options = kysely.AbortableOperationOptions;

class WarmlineDriver implements kysely.Driver {
  readonly #db: Database | DatabaseView;
  readonly #options: WarmlineDialectOptions;

  constructor(db: Database | DatabaseView, options: WarmlineDialectOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** Kysely before 0.29 hands over no options at all, so what it takes a connection for could not be told. */
  async init(...given: readonly [options?: Options]): Promise<void> {
    if (given.length > 0) return;
    const message = "warmline/kysely needs Kysely 0.29 or later. Run: npm install kysely@latest";
    throw new UsageError(message, { code: "ORM_VERSION" });
  }

  async acquireConnection(options?: Options): Promise<WarmlineConnection> {
    return new WarmlineConnection(this.#db, { ...this.#options, takenWith: options });
  }

  beginTransaction(connection: WarmlineConnection, settings: kysely.TransactionSettings): Promise<void> {
    return connection.begin(settings);
  }

  async commitTransaction(connection: WarmlineConnection): Promise<void> {
    try {
      await connection.commit();
    } catch (error) {
      // Kysely 0.29 has not had it from the start
      const { AbortedTransactionError } = kysely;
      if (!AbortedTransactionError || !isWarmlineError(error) || error.code !== "TRANSACTION_FAILED") throw error;
      throw new AbortedTransactionError({ cause: error });
    }
  }

  rollbackTransaction(connection: WarmlineConnection): Promise<void> {
    return connection.rollback();
  }

  savepoint({ transaction }: WarmlineConnection, name: string): Promise<void> {
    return transaction.savepoint(name);
  }

  rollbackToSavepoint({ transaction }: WarmlineConnection, name: string): Promise<void> {
    return transaction.rollbackTo(name);
  }

  releaseSavepoint({ transaction }: WarmlineConnection, name: string): Promise<void> {
    return transaction.release(name);
  }

  releaseConnection(connection: WarmlineConnection): Promise<void> {
    return connection.release();
  }

  async destroy(): Promise<void> {}
}
