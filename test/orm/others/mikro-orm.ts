import { PostgresDialect } from "kysely";
import Cursor from "pg-cursor";
import { failureOf } from "../orm.ts";
import type { Other } from "./other.ts";

/** As far as it is used. */
interface EntityManager {
  create(name: string, values: object): object;
  persist(entity: object): EntityManager;
  flush(): Promise<void>;
  fork(): EntityManager;
  find(name: string, where: object, options?: object): Promise<readonly object[]>;
  upsert(name: string, values: object): Promise<object>;
  transactional<T>(work: (em: EntityManager) => Promise<T>): Promise<T>;
  count(name: string): Promise<number>;
  stream(name: string, options?: object): AsyncIterable<object>;
}
interface MikroOrm {
  readonly MikroORM: {
    init(
      options: object,
    ): Promise<{ readonly em: EntityManager; readonly schema: { create(): Promise<void> }; close(force?: boolean): Promise<void> }>;
  };
  readonly EntitySchema: new (meta: object) => object;
  readonly wrap: (entity: object) => { toPOJO(): object };
}

export const other: Other = async ({ pool, check, tool }) => {
  const { MikroORM, EntitySchema, wrap } = await tool<MikroOrm>("@mikro-orm/postgresql");
  const Author: object = new EntitySchema({
    name: "Author",
    properties: {
      id: { type: "integer", primary: true },
      name: { type: "text", unique: true },
      books: { kind: "1:m", entity: (): object => Book, mappedBy: "author" },
    },
  });
  const Book = new EntitySchema({
    name: "Book",
    properties: {
      id: { type: "integer", primary: true },
      title: { type: "text" },
      data: { type: "json", nullable: true },
      author: { kind: "m:1", entity: () => Author },
    },
  });
  const orm = await MikroORM.init({
    entities: [Author, Book],
    dbName: "postgres",
    driverOptions: new PostgresDialect({ pool, cursor: Cursor }),
    ensureDatabase: false,
    debug: false,
  });
  await orm.schema.create();
  const em = orm.em.fork();
  const ada = em.create("Author", { name: "Ada" });
  em.persist(ada).persist(em.create("Book", { title: "Notes", data: { deep: [1] }, author: ada }));
  await em.flush();
  const found = await orm.em.fork().find("Author", { name: "Ada" }, { populate: ["books"] });
  check(
    "flushes a unit of work, and finds it with relations",
    found.map((one) => wrap(one).toPOJO()),
    [{ id: 1, name: "Ada", books: [{ id: 1, title: "Notes", data: { deep: [1] }, author: { id: 1, name: "Ada" } }] }],
  );
  await orm.em.fork().upsert("Author", { name: "Ada" });
  check("upserts", await orm.em.fork().count("Author"), 1);
  const code = await orm.em.fork().transactional(async (outer) => {
    outer.persist(outer.create("Author", { name: "Grace" }));
    await outer.flush();
    const failure = await failureOf(() =>
      outer.transactional(async (inner) => {
        inner.persist(inner.create("Author", { name: "Ada" }));
        await inner.flush();
      }),
    );
    return (failure as { readonly code: string }).code;
  });
  check("nests a transaction that fails", code, "23505");
  await failureOf(() =>
    orm.em.fork().transactional(async (own) => {
      own.persist(own.create("Author", { name: "Edsger" }));
      await own.flush();
      throw new Error("stop");
    }),
  );
  check("rolls back", await orm.em.fork().count("Author"), 2);
  const names: unknown[] = [];
  for await (const author of orm.em.fork().stream("Author", { orderBy: { id: 1 } })) names.push((author as { name: string }).name);
  check("streams", names.length, 2);
  await orm.close(true);
};
