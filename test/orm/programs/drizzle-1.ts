// Type-checked by scripts/orm/test.ts, against drizzle-orm 1.0: what it imports of it is not in 0.45.
import { defineRelations } from "drizzle-orm";
import { type DrizzleDatabase, type DrizzleTransaction, drizzle } from "warmline/drizzle";
import type { Orm } from "../orm.ts";
import { runDrizzle } from "./drizzle.ts";
import { authors, books, chapters, script } from "./drizzle-tables.ts";

const relations = defineRelations({ authors, books, chapters }, (r) => ({
  authors: { books: r.many.books() },
  books: {
    author: r.one.authors({ from: r.books.authorId, to: r.authors.id }),
    chapters: r.many.chapters({ from: r.books.id, to: r.chapters.bookId }),
  },
}));
type Relations = typeof relations;

export const orm: Orm = {
  tables: script,
  run: (bench) =>
    runDrizzle(bench, {
      open: (db) => drizzle(db, { relations }) as unknown as DrizzleDatabase,
      threeDeep: (any) =>
        (any as unknown as DrizzleDatabase<never, Relations> | DrizzleTransaction<never, Relations>).query.authors.findMany({
          where: { name: "Ada" },
          columns: { avatar: false, count: false },
          with: {
            books: {
              columns: { title: true },
              orderBy: { id: "asc" },
              with: { chapters: { columns: { title: true, words: true }, orderBy: { id: "asc" } } },
            },
          },
        }),
    }),
};
