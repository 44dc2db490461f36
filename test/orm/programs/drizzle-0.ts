import { eq, relations } from "drizzle-orm";
import { type DrizzleDatabase, type DrizzleTransaction, drizzle } from "warmline/drizzle";
import type { Orm } from "../orm.ts";
import { requestOf, runDrizzle } from "./drizzle.ts";
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
  atModuleScope: (db) => requestOf(drizzle(db, { schema }) as unknown as DrizzleDatabase),
  run: (bench) =>
    runDrizzle(bench, {
      open: (db) => drizzle(db, { schema }) as unknown as DrizzleDatabase,
      // of what it reads from JSON, numbers have lost their digits, and bytes are text
      inside: ["mood", "born", "count", "tags", "scores", "profile", "made", "seen"],
      nested: (any) =>
        (any as unknown as DrizzleDatabase<typeof schema>).query.books.findFirst({
          where: eq(books.id, 1),
          columns: { id: true },
          with: {
            author: { columns: { mood: true, born: true, count: true, tags: true, scores: true, profile: true, made: true, seen: true } },
          },
        }),
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
