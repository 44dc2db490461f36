/**
 * What Prisma 7 calls an adapter through, as far as it is used: told by its shape, so nothing of Prisma is imported.
 * Source: `@prisma/driver-adapter-utils` 7.10.
 */

/** How Prisma reads a column. */
export const columnTypes = {
  Int32: 0,
  Int64: 1,
  Float: 2,
  Double: 3,
  Numeric: 4,
  Boolean: 5,
  Text: 7,
  Date: 8,
  Time: 9,
  DateTime: 10,
  Json: 11,
  Bytes: 13,
  Uuid: 15,
  Int32Array: 64,
  Int64Array: 65,
  FloatArray: 66,
  DoubleArray: 67,
  NumericArray: 68,
  BooleanArray: 69,
  CharacterArray: 70,
  TextArray: 71,
  DateArray: 72,
  TimeArray: 73,
  DateTimeArray: 74,
  JsonArray: 75,
  BytesArray: 77,
  UuidArray: 78,
} as const;

export type ColumnType = (typeof columnTypes)[keyof typeof columnTypes];

/** What Prisma knows of a parameter. */
export interface ArgType {
  readonly scalarType: string;
  readonly dbType?: string;
  readonly arity: "scalar" | "list";
}

/** A statement of Prisma's. */
export interface SqlQuery {
  readonly sql: string;
  readonly args: readonly unknown[];
  readonly argTypes: readonly ArgType[];
}

/** Rows as Prisma reads them. */
export interface SqlResultSet {
  columnNames: string[];
  columnTypes: ColumnType[];
  rows: unknown[][];
}

/** What Prisma sends statements to. Each rejects with an error as Prisma has it, made of one of ours. */
export interface SqlQueryable {
  readonly provider: "postgres";
  readonly adapterName: string;
  /** Resolves with the rows. */
  queryRaw(query: SqlQuery): Promise<SqlResultSet>;
  /** Resolves with how many rows were changed. */
  executeRaw(query: SqlQuery): Promise<number>;
}

/** A transaction of Prisma's, with its savepoints by their names. */
export interface PrismaTransaction extends SqlQueryable {
  readonly options: { readonly usePhantomQuery: boolean };
  /** Commits, and gives the connection back. */
  commit(): Promise<void>;
  /** Undoes it, and gives the connection back. */
  rollback(): Promise<void>;
  /** Opens a savepoint. */
  createSavepoint(name: string): Promise<void>;
  /** Undoes what was done since. */
  rollbackToSavepoint(name: string): Promise<void>;
  /** Forgets a savepoint; what was done since stays. */
  releaseSavepoint(name: string): Promise<void>;
}

/** A connected adapter of Prisma's. */
export interface SqlDriverAdapter extends SqlQueryable {
  /** Runs a text of several statements. */
  executeScript(script: string): Promise<void>;
  /** Begins a transaction, at `READ COMMITTED` and the like, or at the server's default. */
  startTransaction(isolationLevel?: string): Promise<PrismaTransaction>;
  /** What Prisma makes its statements by. */
  getConnectionInfo(): { schemaName?: string; supportsRelationJoins: boolean };
  /** Ends it; the database below stays open. */
  dispose(): Promise<void>;
}
