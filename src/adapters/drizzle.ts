import { DefaultLogger, TransactionRollbackError } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { drizzle as overProxy, PgRemoteDatabase, PgRemoteSession } from "drizzle-orm/pg-proxy";
import { npmVersion } from "drizzle-orm/version";
import type { Database, DatabaseView, Result, Transaction, TypeParsers } from "../entry/node.ts";
import { UsageError } from "../errors/errors.ts";
import { checkDatabase } from "./check-database.ts";
import { ask, type Batching, runBatch } from "./drizzle-batch.ts";
import { codecs } from "./drizzle-codecs.ts";
import { throughWrapper } from "./drizzle-errors.ts";
import type { DrizzleBatchOptions, DrizzleDatabase, DrizzleOptions, DrizzleTransactionOptions, NoRelations } from "./drizzle-types.ts";
import { isDate, isoText } from "./iso-date.ts";

export type * from "./drizzle-types.ts";

/** What Drizzle reads itself, as its node-postgres driver has it: times, intervals, and arrays of these and of numeric. */
const asText: ReadonlySet<number> = new Set([1186, 1187, 1231]);
const types: TypeParsers = { getTypeParser: (typeId) => (isDate(typeId) ? isoText : asText.has(typeId) ? String : undefined) };

/** What Drizzle's own databases are here: whatever one has, and what is put in its place. */
type Made = Record<string, unknown> & { readonly _: Record<string, unknown> };
type Modes = Pick<DrizzleTransactionOptions, "isolationLevel" | "accessMode" | "deferrable">;
type Work = (tx: Made) => Promise<unknown>;

/**
 * Drizzle over a database of this package, or a view of one under settings (`db.with`), on every runtime and transport. Queries reject with Drizzle's errors: `fateOf(error)` tells what became
 * of the statement.
 *
 * @example const orm = drizzle(db, { schema });
 * @throws UsageError ORM_VERSION; INVALID_OPTION for what is no database, and for an option that the installed drizzle-orm does not know
 */
export function drizzle<S extends Record<string, unknown> = Record<string, never>, R = NoRelations, D extends DatabaseView = Database>(
  db: D,
  options: DrizzleOptions<S, R> = {},
): DrizzleDatabase<S, R, D> {
  checkDatabase(db, "drizzle");
  const isFirst = checkVersion() === 1;
  checkOptions(options, isFirst ? ["relations"] : ["schema", "casing"]);
  const logger = options.logger === true ? new DefaultLogger() : options.logger || undefined;
  const config = { ...options, logger, ...(isFirst && { codecs }) };
  let dialect: PgDialect | undefined;
  const dialectOf = (own: object = config) => {
    dialect ??= new PgDialect(own);
    return dialect;
  };

  /** What was made of the tables, which takes longer than everything else; in 1.0 they come made. */
  let kept: { readonly dialect: PgDialect; readonly schema: Record<string, unknown> } | undefined;

  /** Drizzle over what sends statements: the database, or a transaction. */
  function over(queries: Batching): Made {
    const send = async (text: string, values: readonly unknown[], method: string) => {
      const asArrays = method === "all";
      const result = await ask(queries, { text, values, asArrays }, types);
      return { rows: asArrays ? result.rows : executed(result) };
    };
    if (kept === undefined) return overProxy(send, config as object, dialectOf) as unknown as Made;
    const { dialect, schema } = kept;
    return new PgRemoteDatabase(
      dialect,
      new PgRemoteSession(send, dialect, schema as never, { logger } as never),
      schema as never,
    ) as never;
  }

  const inside = (tx: Transaction): Made =>
    Object.assign(over(tx), {
      rollback() {
        throw new TransactionRollbackError();
      },
      setTransaction: (modes: Modes) => tx.query(`set transaction ${wordsOf(modes)}`),
      transaction: (work: Work) => throughWrapper((unwrapped) => tx.transaction(workOf(work, unwrapped))),
    });

  /** What is no function is left for the database to refuse. */
  const workOf = (work: Work, unwrapped: (work: () => Promise<unknown>) => Promise<unknown>) =>
    typeof work === "function" ? (tx: Transaction) => unwrapped(() => work(inside(tx))) : work;

  const made = over(db as Batching);
  if (!isFirst && options.schema !== undefined) {
    const { fullSchema, schema, tableNamesMap } = made._;
    kept = { dialect: dialectOf(), schema: { fullSchema, schema, tableNamesMap } };
  }
  return Object.assign(made, {
    $client: db,
    batch: (items: [], own: DrizzleBatchOptions = {}) => runBatch(db as never, items, { ...own, types }),
    transaction(work: Work, { isolationLevel, accessMode, ...own }: DrizzleTransactionOptions = {}) {
      const readOnly = accessMode && accessMode === "read only";
      const modes = { ...own, isolation: isolationLevel, readOnly };
      return throughWrapper((unwrapped) => db.transaction(workOf(work, unwrapped), modes));
    },
  }) as never;
}

/** What `execute` gives: the rows, as some drivers of Drizzle have it, and beside them what others have. */
function executed(result: Pick<Result, "rows">): Result["rows"] {
  const beside = Object.entries(result).map(([name, value]) => [name, { value }]);
  return Object.defineProperties(result.rows, Object.fromEntries(beside));
}

function wordsOf({ isolationLevel, accessMode, deferrable }: Modes): string {
  const words = [isolationLevel && `isolation level ${isolationLevel}`, accessMode];
  if (deferrable !== undefined) words.push(deferrable ? "deferrable" : "not deferrable");
  return words.filter(Boolean).join(", ");
}

/** The major of the installed drizzle-orm: 0 for 0.45. @throws UsageError ORM_VERSION for any other than the two */
function checkVersion(): 0 | 1 {
  if (/^0\.45\./.test(npmVersion)) return 0;
  if (/^1\.(?!0\.0-(?!rc\.(?:[5-9]|\d\d)))/.test(npmVersion)) return 1;
  throw new UsageError(
    `warmline/drizzle stands on drizzle-orm 0.45, or 1.0 from rc.5 on, and not on ${npmVersion}. Install one of these.`,
    {
      code: "ORM_VERSION",
    },
  );
}

function checkOptions(options: object, own: readonly string[]): void {
  const names = [...own, "logger"];
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || names.includes(name)) continue;
    throw new UsageError(`drizzle-orm ${npmVersion} takes no ${JSON.stringify(name)} here. It takes ${names.join(", ")}.`, {
      code: "INVALID_OPTION",
    });
  }
}
