import type { BatchOptions, CallOptions, Statement, TransactionMode } from "./transport.ts";

/**
 * BEGIN with what the mode says, and nothing where it is silent. A SELECT of nothing behind a READ ONLY takes the snapshot after which nothing
 * can switch it off: `alone` where no second statement could. What puts it under settings takes that snapshot, too.
 * Source: PostgreSQL documentation, SET TRANSACTION.
 */
export function begin({ isolation, readOnly, deferrable }: TransactionMode, alone = false, settings?: Statement): Statement[] {
  const modes = [
    isolation && `ISOLATION LEVEL ${isolation.toUpperCase()}`,
    readOnly !== undefined && (readOnly ? "READ ONLY" : "READ WRITE"),
    deferrable !== undefined && (deferrable ? "DEFERRABLE" : "NOT DEFERRABLE"),
  ].filter(Boolean);
  const opening = bare(modes.length === 0 ? "BEGIN" : `BEGIN ${modes.join(", ")}`);
  if (settings !== undefined) return [opening, settings];
  return readOnly && !alone ? [opening, SNAPSHOT] : [opening];
}

/** A query as the transaction that it has to be, to be kept from writing or put under settings; undefined where it can go by itself. */
export function blockOf(call: CallOptions): BatchOptions | undefined {
  const { readOnly, settings } = call;
  return readOnly || settings !== undefined ? { ...call, mode: { readOnly: readOnly || undefined } } : undefined;
}

/** What switches off a mode that the server would begin with by itself, where BEGIN cannot say so. */
export function modesSwitchedOff({ readOnly, deferrable }: TransactionMode): Statement[] {
  const modes = [readOnly === false && "READ WRITE", deferrable === false && "NOT DEFERRABLE"].filter(Boolean);
  return modes.length === 0 ? [] : [bare(`SET TRANSACTION ${modes.join(", ")}`)];
}

/** A statement without parameters. */
export function bare(text: string): Statement {
  return { text, values: [] };
}

const SNAPSHOT: Statement = bare("SELECT");
export const COMMIT: Statement = bare("COMMIT");
export const ROLLBACK: Statement = bare("ROLLBACK");
