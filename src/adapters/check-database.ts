import { UsageError } from "../errors/errors.ts";

/** Refuses what an adapter cannot stand on: an address, a pool of pg's, a transaction. @throws UsageError INVALID_OPTION */
export function checkDatabase(db: unknown, adapter: string): void {
  const { batch, transaction, with: view } = (db ?? {}) as Readonly<Record<string, unknown>>;
  if ([batch, transaction, view].every((call) => typeof call === "function")) return;
  throw new UsageError(
    `${adapter} stands on a database: hand in createDatabase(…), or a view of db.with(…). A pool goes to the ORM's own driver for pg.`,
    { code: "INVALID_OPTION" },
  );
}

/** What a view of a database does not do, for its settings belong to single transactions. */
export function notOnView(what: string): UsageError {
  return new UsageError(`A view of db.with(…) ${what}. Use a transaction, or hand in the database itself.`, { code: "INVALID_OPTION" });
}
