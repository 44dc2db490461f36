import type { Statement } from "../transports/transport.ts";
import type { ServerResult } from "./exchange.ts";

/** How the values of an array type are written. */
export interface ArrayType {
  readonly element: number;
  /** `,` for all built-in types but `box`, which has `;`. */
  readonly delimiter: string;
}

/** What is known about the types of one database: which of them are arrays, and of what. Everything else is a scalar. */
export interface TypeCatalog {
  /** Makes `arrayType` answer for these types, asking the server about those that are not known yet. */
  learn(typeIds: Iterable<number>, ask: (statement: Statement) => Promise<ServerResult>): Promise<void>;
  arrayType(typeId: number): ArrayType | undefined;
}

/** Ids from here on belong to types that users made. Source: FirstNormalObjectId of PostgreSQL's sources. */
const FIRST_USER_TYPE = 16_384;

const ARRAY_TYPES_QUERY =
  "select typarray, oid, typdelim from pg_catalog.pg_type where typarray operator(pg_catalog.=) any ($1::pg_catalog.oid[])";

/** An empty catalog. */
export function createTypeCatalog(): TypeCatalog {
  const known = new Map<number, ArrayType | undefined>();
  return {
    async learn(typeIds, ask) {
      const unknown = [...new Set(typeIds)].filter((id) => !known.has(id));
      if (unknown.length === 0) return;
      const { rows } = await ask({ text: ARRAY_TYPES_QUERY, values: [`{${unknown.join(",")}}`] });
      // A transaction with an old snapshot can use a type that the query does not see yet: for a user's type, no answer is not a "no".
      for (const id of unknown.filter((typeId) => typeId < FIRST_USER_TYPE)) known.set(id, undefined);
      for (const [id, element, delimiter] of rows) known.set(Number(id), { element: Number(element), delimiter: delimiter ?? "," });
    },
    arrayType: (typeId) => known.get(typeId),
  };
}
