import { eq, relations } from "drizzle-orm";
import { type DrizzleDatabase, type DrizzleTransaction, drizzle } from "warmline/drizzle";
import type { Orm } from "../orm.ts";
import { runDrizzle } from "./drizzle.ts";
import { authors, books, chapters, script } from "./drizzle-tables.ts";

const schema = {
  authors,
  books,
  chapters,
  authorRelations: relations(authors, ({ many }) => ({ books: many(books) })),
  bookRelations: relations(books, ({ one, many }) => ({
    author: one(authors, { fields: [books.authorId], references: [authors.id] }),
    chapters: many(chapters),
  })),
  chapterRelations: relations(chapters, ({ one }) => ({ book: one(books, { fields: [chapters.bookId], references: [books.id] }) })),
};

export const orm: Orm = {
  tables: script,
  run: (bench) =>
    runDrizzle(bench, {
      open: (db) => drizzle(db, { schema }) as unknown as DrizzleDatabase,
      threeDeep: (any) =>
        (any as unknown as DrizzleDatabase<typeof schema> | DrizzleTransaction<typeof schema>).query.authors.findMany({
          where: eq(authors.name, "Ada"),
          columns: { avatar: false, count: false },
          with: {
            books: {
              columns: { title: true },
              orderBy: books.id,
              with: { chapters: { columns: { title: true, words: true }, orderBy: chapters.id } },
            },
          },
        }),
    }),
};
