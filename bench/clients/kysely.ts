import { Kysely, PostgresDialect } from "kysely";
import type pg from "pg";

interface Tables {
  readonly bench_items: { readonly id: number; readonly name: string; readonly price: string; readonly at: Date; readonly ok: boolean };
}

/** Kysely over a pool. */
export function kyselyOver(pool: pg.Pool): (id: number) => Promise<unknown> {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return (id) => db.selectFrom("bench_items").select(["id", "name", "price", "at", "ok"]).where("id", "=", id).execute();
}
