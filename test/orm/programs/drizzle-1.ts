// Type-checked by scripts/orm/test.ts, against drizzle-orm 1.0: what it imports of it is not in 0.45.
import { defineRelations, eq } from "drizzle-orm";
import { bytea, pgTable, serial } from "drizzle-orm/pg-core";
import { type DrizzleDatabase, type DrizzleTransaction, drizzle } from "warmline/drizzle";
import type { Orm } from "../orm.ts";
import { requestOf, runDrizzle } from "./drizzle.ts";
import { authors, books, chapters, script } from "./drizzle-tables.ts";

const blobs = pgTable("blob", { id: serial("id").primaryKey(), bytes: bytea("bytes"), many: bytea("many").array() });

const relations = defineRelations({ authors, books, chapters, blobs }, (r) => ({
  blobs: { same: r.one.blobs({ from: r.blobs.id, to: r.blobs.id }) },
  authors: { books: r.many.books() },
  books: {
    author: r.one.authors({ from: r.books.authorId, to: r.authors.id }),
    chapters: r.many.chapters({ from: r.books.id, to: r.chapters.bookId }),
  },
}));
type Relations = typeof relations;

export const orm: Orm = {
  tables: `${script} create table blob (id serial primary key, bytes bytea, many bytea[]);`,
  atModuleScope: (db) => requestOf(drizzle(db, { relations }) as unknown as DrizzleDatabase),
  run: (bench) =>
    runDrizzle(bench, {
      open: (db) => drizzle(db, { relations }) as unknown as DrizzleDatabase,
      inside: ["name", "mood", "born", "balance", "big", "count", "tags", "scores", "profile", "made", "seen", "seenText"],
      nested: (any) =>
        (any as unknown as DrizzleDatabase<never, Relations>).query.books.findFirst({
          where: { id: 1 },
          columns: { id: true },
          with: { author: { columns: { id: false, avatar: false } } },
        }),
      async more({ check }, any) {
        const orm = any as unknown as DrizzleDatabase<never, Relations>;
        const [{ id }] = (await orm
          .insert(blobs)
          .values({ bytes: Buffer.from([0, 127, 255]), many: [Buffer.from([1])] })
          .returning()) as { id: number }[] as [{ id: number }];
        check("bytea of its own", await orm.select().from(blobs), [{ id, bytes: Uint8Array.of(0, 127, 255), many: [Uint8Array.of(1)] }]);
        const [nested] = await orm.query.blobs.findMany({ with: { same: true } });
        check("bytea of its own, in relations", nested?.same?.bytes, Uint8Array.of(0, 127, 255));
        check("bytea of its own, as a parameter", await orm.$count(blobs, eq(blobs.bytes, Buffer.from([0, 127, 255]))), 1);
      },
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
