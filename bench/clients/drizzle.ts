import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { boolean, integer, numeric, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import type pg from "pg";

const items = pgTable("bench_items", {
  id: integer().primaryKey(),
  name: text(),
  price: numeric(),
  at: timestamp({ withTimezone: true }),
  ok: boolean(),
});

/** Drizzle over a pool. */
export function drizzleOver(pool: pg.Pool): (id: number) => Promise<unknown> {
  const db = drizzle({ client: pool });
  return (id) => db.select().from(items).where(eq(items.id, id));
}
