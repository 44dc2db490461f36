import pg from "pg";
import { failureOf } from "../orm.ts";
import type { Other } from "./other.ts";

/** As far as it is used. */
interface Repository {
  save<T>(entity: T): Promise<T & { readonly id: number }>;
  find(options?: object): Promise<readonly object[]>;
  findOne(options: object): Promise<object | null>;
  upsert(entity: object, conflict: readonly string[]): Promise<unknown>;
  count(): Promise<number>;
}
interface Manager {
  getRepository(name: string): Repository;
  transaction<T>(work: (manager: Manager) => Promise<T>): Promise<T>;
  query(text: string, values?: readonly unknown[]): Promise<readonly object[]>;
}
interface TypeOrm {
  readonly DataSource: new (
    options: object,
  ) => Manager & { readonly manager: Manager; initialize(): Promise<void>; destroy(): Promise<void>; createQueryRunner(): QueryRunner };
  readonly EntitySchema: new (options: object) => object;
}
interface QueryRunner {
  query(text: string): Promise<readonly object[]>;
  stream(text: string): Promise<AsyncIterable<object>>;
  release(): Promise<void>;
}

export const other: Other = async ({ Pool, url, check, tool }) => {
  const { DataSource, EntitySchema } = await tool<TypeOrm>("typeorm");
  const Author = new EntitySchema({
    name: "Author",
    columns: {
      id: { type: "int", primary: true, generated: "identity" },
      name: { type: "text", unique: true },
      born: { type: "date", nullable: true },
    },
    relations: { books: { type: "one-to-many", target: "Book", inverseSide: "author", cascade: true } },
  });
  const Book = new EntitySchema({
    name: "Book",
    columns: {
      id: { type: "int", primary: true, generated: "identity" },
      title: { type: "text" },
      tags: { type: "text", array: true, nullable: true },
      data: { type: "jsonb", nullable: true },
      sold: { type: "int8", nullable: true },
    },
    relations: { author: { type: "many-to-one", target: "Author", inverseSide: "books" } },
  });
  const source = new DataSource({
    type: "postgres",
    url,
    driver: { ...pg, Pool },
    entities: [Author, Book],
    synchronize: true,
    poolSize: 3,
  });
  await source.initialize();
  const authors = source.getRepository("Author");
  await authors.save({
    name: "Ada",
    born: "1815-12-10",
    books: [{ title: "Notes", tags: ["a", "b"], data: { deep: [1] }, sold: "9007199254740993" }],
  });
  check("saves, and finds with relations", await authors.find({ relations: { books: true } }), [
    {
      id: 1,
      name: "Ada",
      born: "1815-12-10",
      books: [{ id: 1, title: "Notes", tags: ["a", "b"], data: { deep: [1] }, sold: "9007199254740993" }],
    },
  ]);
  await authors.upsert({ name: "Ada", born: null }, ["name"]);
  check("upserts", await authors.findOne({ where: { name: "Ada" } }), { id: 1, name: "Ada", born: null });
  const nested = await source.manager.transaction(async (manager) => {
    await manager.getRepository("Author").save({ name: "Grace" });
    const failure = await failureOf(() =>
      manager.transaction(async (inner) => {
        await inner.getRepository("Author").save({ name: "Edsger" });
        await inner.query("insert into author (name) values ($1)", ["Ada"]);
      }),
    );
    return (failure as { readonly code: string }).code;
  });
  check("nests a transaction that fails", nested, "23505");
  await failureOf(() =>
    source.manager.transaction(async (manager) => {
      await manager.query("delete from book");
      throw new Error("stop");
    }),
  );
  check("rolls back", [await authors.count(), await source.getRepository("Book").count()], [2, 1]);
  const runner = source.createQueryRunner();
  const rows: object[] = [];
  for await (const row of await runner.stream("select n from generate_series(1, 250) n")) rows.push(row);
  check("streams", rows.length, 250);
  await runner.release();
  const all = await Promise.all(Array.from({ length: 30 }, (_, n) => source.manager.query("select $1::int as n", [n])));
  check("thirty at once, on three connections", all.length, 30);
  await source.destroy();
};
