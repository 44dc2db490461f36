import { createPostgreSqlTypeParsers, defineEntity, MikroORM, p, UniqueConstraintViolationException } from "@mikro-orm/postgresql";
import { parse } from "postgres-array";
import { WarmlineDialect } from "warmline/kysely";
import { failureOf, type Orm } from "../orm.ts";

const Author = defineEntity({
  name: "Author",
  properties: {
    id: p.integer().primary().autoincrement(),
    name: p.string().unique(),
    born: p.date().nullable(),
    seen: p.datetime().nullable(),
    tags: p.array().nullable(),
    data: p.json().nullable(),
    fee: p.decimal().precision(10).scale(2).nullable(),
    sold: p.bigint().nullable(),
    books: () => p.oneToMany(Book).mappedBy("author"),
  },
});
const Book = defineEntity({
  name: "Book",
  properties: {
    id: p.integer().primary().autoincrement(),
    title: p.string(),
    author: () => p.manyToOne(Author),
    reviews: () => p.oneToMany(Review).mappedBy("book"),
  },
});
const Review = defineEntity({
  name: "Review",
  properties: { id: p.integer().primary().autoincrement(), text: p.string(), book: () => p.manyToOne(Book) },
});

/** MikroORM over Kysely's dialect: its schema, a unit of work, relations, transactions within one another. */
export const orm: Orm = {
  tables: "",
  async run({ db, check }) {
    const parsers = createPostgreSqlTypeParsers(parse);
    const types = { getTypeParser: (id: number) => parsers[id] };
    const mikro = await MikroORM.init({
      dbName: "any",
      entities: [Author, Book, Review],
      driverOptions: new WarmlineDialect(db, { types }),
      allowGlobalContext: false,
    });
    // without what it would set on whichever connection its first statement happens to have
    await mikro.schema.create({ wrap: false });
    check("its schema is there, and nothing is left to create", await mikro.schema.getUpdateSchemaSQL(), "");
    const seen = new Date("2026-03-04T05:06:07.089Z");
    const fork = () => mikro.em.fork();
    const em = fork();
    const values = {
      born: "1815-12-10",
      seen,
      tags: ["a", "b c"],
      data: { list: [1, { deep: null }] },
      fee: "1.50",
      sold: 9_007_199_254_740_993n,
    };
    em.create(Author, {
      name: "Ada",
      ...values,
      books: [{ title: "Notes", reviews: [{ text: "good; even" }, { text: "long" }] }, { title: "Engines" }],
    });
    em.create(Author, { name: "Grace" });
    await em.flush();
    const ada = await fork().findOneOrFail(
      Author,
      { name: "Ada" },
      { populate: ["books.reviews"], orderBy: { books: { id: 1, reviews: { id: 1 } } } },
    );
    check("what was stored", Object.fromEntries(Object.keys(values).map((name) => [name, ada[name]])), values);
    check(
      "relations three deep",
      ada.books.map(({ title, reviews }: { title: string; reviews: { map(read: (review: { text: string }) => string): unknown } }) => [
        title,
        reviews.map(({ text }) => text),
      ]),
      [
        ["Notes", ["good; even", "long"]],
        ["Engines", []],
      ],
    );
    const changing = fork();
    const grace = await changing.findOneOrFail(Author, { name: "Grace" });
    grace.name = "Grace H.";
    await changing.flush();
    check("what was changed", await db.sql`select name from author order by id`, [{ name: "Ada" }, { name: "Grace H." }]);
    await fork().upsert(Author, { name: "Ada", fee: "2.50" });
    check("upsert", (await fork().findOneOrFail(Author, { name: "Ada" })).fee, "2.50");
    check("count", await fork().count(Author, { seen: { $ne: null } }), 1);
    const conflict = await failureOf(() => fork().insert(Author, { name: "Ada" }));
    check("conflict", conflict instanceof UniqueConstraintViolationException, true);
    await fork().transactional(async (outer: Record<string, (...values: readonly unknown[]) => Promise<unknown>>) => {
      await outer.insert?.(Author, { name: "Outer" });
      await outer
        .transactional?.(async (inner: typeof outer) => {
          await inner.insert?.(Author, { name: "Undone" });
          throw new Error("stop");
        })
        .catch(() => {});
      await outer.transactional?.((inner: typeof outer) => inner.insert?.(Author, { name: "Inner" }));
    });
    const undone = () =>
      fork().transactional(async (outer: Record<string, (...values: readonly unknown[]) => Promise<unknown>>) => {
        await outer.insert?.(Author, { name: "Undone" });
        throw new Error("stop");
      });
    check("an error rolls back", ((await failureOf(undone)) as Error).message, "stop");
    check("what stays", await db.sql`select name from author where name !~ '^(Ada|Grace)' order by id`, [
      { name: "Outer" },
      { name: "Inner" },
    ]);
    const streamed: string[] = [];
    for await (const { name } of fork().stream(Author, { orderBy: { id: 1 } })) streamed.push(name);
    check("stream", streamed, ["Ada", "Grace H.", "Outer", "Inner"]);
    await fork().nativeDelete(Author, { name: { $in: ["Outer", "Inner"] } });
    check("delete", await db.sql`select count(*)::int as left from author`, [{ left: 2 }]);
    await mikro.close();
    check("closing it leaves the database open", await db.sql`select 1 as one`, [{ one: 1 }]);
  },
};
