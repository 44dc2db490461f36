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

export interface SqlQuery {
  readonly sql: string;
  readonly args: readonly unknown[];
  readonly argTypes: readonly ArgType[];
}

export interface SqlResultSet {
  columnNames: string[];
  columnTypes: ColumnType[];
  rows: unknown[][];
}

export interface SqlQueryable {
  readonly provider: "postgres";
  readonly adapterName: string;
  queryRaw(query: SqlQuery): Promise<SqlResultSet>;
  /** Resolves with how many rows were changed. */
  executeRaw(query: SqlQuery): Promise<number>;
}

export interface PrismaTransaction extends SqlQueryable {
  readonly options: { readonly usePhantomQuery: boolean };
  commit(): Promise<void>;
  rollback(): Promise<void>;
  createSavepoint(name: string): Promise<void>;
  rollbackToSavepoint(name: string): Promise<void>;
  releaseSavepoint(name: string): Promise<void>;
}

export interface SqlDriverAdapter extends SqlQueryable {
  executeScript(script: string): Promise<void>;
  startTransaction(isolationLevel?: string): Promise<PrismaTransaction>;
  getConnectionInfo(): { schemaName?: string; supportsRelationJoins: boolean };
  dispose(): Promise<void>;
}
