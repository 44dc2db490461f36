import type { CheckRows } from "../transports/transport.ts";

/** Under this key a piece of SQL keeps what it is made of: every copy of the package reads the others'. */
export const sqlParts: unique symbol = Symbol.for("warmline.sql.v1") as never;

/** Text around values: one piece more than there are values. */
export interface SqlParts {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];
  /** Of a whole statement: what its rows go through. Within another statement it says nothing. */
  readonly check?: CheckRows | undefined;
}

/** Whether a value is a piece of SQL, of whatever copy of the package. */
export function isSql(value: unknown): value is { readonly [sqlParts]: SqlParts } {
  return typeof value === "object" && value !== null && sqlParts in value;
}
