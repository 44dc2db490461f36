import { eq, relations } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { hyperdrive } from "warmline/hyperdrive";
import { sharedPool } from "warmline/pool";
import type { Service } from "../at-module-scope.ts";

const authors = pgTable("Author", { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull() });
const books = pgTable("Book", {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  title: text().notNull(),
  authorId: integer().notNull(),
});
const authorRelations = relations(authors, ({ many }) => ({ books: many(books) }));
const bookRelations = relations(books, ({ one }) => ({ author: one(authors, { fields: [books.authorId], references: [authors.id] }) }));

const pool = sharedPool({ tcp: hyperdrive() });
const db = drizzle(pool, { schema: { authors, books, authorRelations, bookRelations } });

export const orm: Service = {
  pool,
  async serve(id) {
    const [made] = await db.insert(authors).values({ name: id }).returning();
    const authorId = made?.id ?? 0;
    await db.insert(books).values(["Notes", "Sketch"].map((title) => ({ title, authorId })));
    const undone = db.transaction(async (tx) => {
      await tx.delete(books).where(eq(books.authorId, authorId));
      tx.rollback();
    });
    await undone.catch(() => {});
    const found = await db.query.authors.findFirst({
      where: eq(authors.name, id),
      columns: { name: true },
      with: { books: { columns: { title: true }, orderBy: books.id } },
    });
    return { ...found, left: await db.$count(authors, eq(authors.name, id)) };
  },
};
