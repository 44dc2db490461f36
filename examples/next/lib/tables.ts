import { bigint, integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** The tables of schema.sql that Drizzle reads. */
export const products = pgTable("products", {
  id: integer().primaryKey(),
  name: text().notNull(),
});

export const orders = pgTable("orders", {
  id: bigint({ mode: "number" }).primaryKey(),
  productId: integer("product_id")
    .notNull()
    .references(() => products.id),
  quantity: integer().notNull(),
  createdAt: timestamp("created_at", { withTimezone: true }).notNull(),
});
