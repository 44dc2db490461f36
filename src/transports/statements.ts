import type { Statement, TransactionMode } from "./transport.ts";

/** BEGIN with what the mode says, and nothing where it is silent. */
export function begin({ isolation, readOnly, deferrable }: TransactionMode): Statement {
  const modes = [
    isolation && `ISOLATION LEVEL ${isolation.toUpperCase()}`,
    readOnly !== undefined && (readOnly ? "READ ONLY" : "READ WRITE"),
    deferrable !== undefined && (deferrable ? "DEFERRABLE" : "NOT DEFERRABLE"),
  ].filter(Boolean);
  return bare(modes.length === 0 ? "BEGIN" : `BEGIN ${modes.join(", ")}`);
}

/** A statement without parameters. */
export function bare(text: string): Statement {
  return { text, values: [] };
}

export const COMMIT: Statement = bare("COMMIT");
export const ROLLBACK: Statement = bare("ROLLBACK");
