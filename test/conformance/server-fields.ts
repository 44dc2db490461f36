import type { ServerFields } from "../../src/errors/database-error.ts";

const all: Readonly<Record<keyof ServerFields, true>> = {
  severity: true,
  detail: true,
  hint: true,
  position: true,
  internalPosition: true,
  internalQuery: true,
  where: true,
  schema: true,
  table: true,
  column: true,
  dataType: true,
  constraint: true,
  file: true,
  line: true,
  routine: true,
};

/** The names of what a server's error has beside its message and SQLSTATE; said here, for the package does not export them. */
export const serverFieldNames = Object.keys(all) as readonly (keyof ServerFields)[];
