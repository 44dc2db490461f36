import type { Database, DatabaseView, Isolation, Result } from "../entry/node.ts";
import { UsageError } from "../errors/errors.ts";
import { checkDatabase, notOnView } from "./check-database.ts";
import { OpenTransaction } from "./open-transaction.ts";
import { columnTypeOf, parsers, typeNameOf } from "./prisma-columns.ts";
import { DriverAdapterError, toPrisma } from "./prisma-errors.ts";
import type { PrismaTransaction, SqlDriverAdapter, SqlQuery, SqlQueryable, SqlResultSet } from "./prisma-interface.ts";
import { toValue } from "./prisma-values.ts";
import { type Runner, runSeveral, severalOf } from "./several-statements.ts";

export type { PrismaTransaction, SqlDriverAdapter } from "./prisma-interface.ts";
export { atModuleScope } from "./prisma-module-scope.ts";

/** How Prisma uses a database. */
export interface PrismaWarmlineOptions {
  /** The schema Prisma's tables are in. Default: that of the `search_path`. */
  readonly schema?: string | undefined;
}

/**
 * A driver adapter for Prisma 7 over a database, or a view of one under settings (`db.with`), on every runtime: a query is one round trip, over HTTP one POST, and a transaction of n queries
 * n + 1. `$disconnect` closes nothing: the database is yours. What Prisma throws has the failure with its `fate` in `meta.driverAdapterError`.
 *
 * @throws UsageError INVALID_OPTION for what is no database
 * @example const prisma = new PrismaClient({ adapter: new PrismaWarmline(db) });
 */
export class PrismaWarmline {
  readonly provider = "postgres";
  readonly adapterName = ADAPTER_NAME;
  readonly #db: Database | DatabaseView;
  readonly #options: PrismaWarmlineOptions;

  constructor(db: Database | DatabaseView, options: PrismaWarmlineOptions = {}) {
    checkDatabase(db, "PrismaWarmline");
    this.#db = db;
    this.#options = options;
  }

  /** Connects nothing: that is left to the first query. */
  async connect(): Promise<SqlDriverAdapter> {
    const db = this.#db;
    const { schema } = this.#options;
    return {
      ...queriesOf(db, (text, values) => db.query(text, values, ROWS)),
      executeScript: async (script) => {
        if (!("script" in db)) throw notOnView("runs no scripts");
        await told(db.script(script));
      },
      startTransaction: (isolationLevel) => startTransaction(db, isolationLevel),
      getConnectionInfo: () => ({ supportsRelationJoins: true, ...(schema !== undefined && { schemaName: schema }) }),
      async dispose() {},
    };
  }
}

const ADAPTER_NAME = "warmline";

const ROWS = { rowMode: "array", types: parsers } as const;

/** The levels of Prisma that Postgres has, too. */
const isolations: ReadonlySet<string> = new Set<Isolation>(["read uncommitted", "read committed", "repeatable read", "serializable"]);

async function startTransaction(db: DatabaseView, level: string | undefined): Promise<PrismaTransaction> {
  const isolation = level?.toLowerCase() as Isolation | undefined;
  if (isolation !== undefined && !isolations.has(isolation)) {
    throw new DriverAdapterError({ kind: "InvalidIsolationLevel", level }, { code: "INVALID_OPTION", fate: "not-sent" });
  }
  const open = await told(OpenTransaction.begin((work) => db.transaction(work, { isolation })));
  return {
    ...queriesOf({ batch: (texts) => open.tx.batch(texts) }, (text, values) => open.tx.query(text, values, ROWS)),
    // Prisma sends no COMMIT of its own then
    options: { usePhantomQuery: true },
    commit: () => told(open.commit()),
    rollback: () => open.rollback(),
    createSavepoint: (name) => told(open.savepoint(name)),
    rollbackToSavepoint: (name) => told(open.rollbackTo(name)),
    releaseSavepoint: (name) => told(open.release(name)),
  };
}

function queriesOf(over: Runner, send: (text: string, values: readonly unknown[]) => Promise<Result<unknown[]>>): SqlQueryable {
  async function run({ sql, args, argTypes }: SqlQuery): Promise<Result<unknown[]>> {
    if (typeof argTypes[0] === "string") {
      const message = "warmline/prisma needs Prisma 7 or later. Run: npm install prisma@latest @prisma/client@latest";
      throw new UsageError(message, { code: "ORM_VERSION" });
    }
    return told(
      send(
        sql,
        args.map((arg, index) => toValue(arg, argTypes[index])),
      ),
    );
  }
  return {
    provider: "postgres",
    adapterName: ADAPTER_NAME,
    queryRaw: async (query) => resultSet(await run(query)),
    executeRaw: async (query) => {
      const several = severalOf(query.sql, query.args);
      if (several !== undefined) {
        await told(runSeveral(over, several));
        return 0;
      }
      return (await run(query)).rowCount ?? 0;
    },
  };
}

function resultSet({ fields, rows }: Result<unknown[]>): SqlResultSet {
  const columnTypes = fields.map(({ dataTypeID }) => {
    const type = columnTypeOf(dataTypeID);
    if (type !== undefined) return type;
    // it was done, as with every adapter
    throw new DriverAdapterError(
      { kind: "UnsupportedNativeDataType", type: typeNameOf(dataTypeID) },
      { code: "DECODE_FAILED", fate: "applied" },
    );
  });
  return { columnNames: fields.map(({ name }) => name), columnTypes, rows };
}

function told<T>(promise: Promise<T>): Promise<T> {
  return promise.catch((error) => {
    throw toPrisma(error);
  });
}
