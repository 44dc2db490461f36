import type pg from "pg";
import { failureOf } from "../orm.ts";
import type { Other } from "./other.ts";

/** As far as it is used. */
interface Builder extends Promise<unknown> {
  insert(rows: object | readonly object[], returning?: string): Builder;
  onConflict(column: string): Builder;
  merge(): Builder;
  where(column: string | object, value?: unknown): Builder;
  join(table: string, left: string, right: string): Builder;
  select(...columns: string[]): Builder;
  orderBy(column: string): Builder;
  update(values: object): Builder;
  del(): Builder;
  first(): Builder;
}
interface TableBuilder {
  increments(name: string): void;
  text(name: string): { notNullable(): { unique(): void } };
  integer(name: string): { references(target: string): void };
  jsonb(name: string): void;
}
interface Knex {
  (table: string): Builder;
  readonly schema: { createTable(name: string, build: (table: TableBuilder) => void): Promise<void> };
  raw(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  transaction<T>(work: (trx: Knex) => Promise<T>): Promise<T>;
  destroy(): Promise<void>;
}

// without `stream()`: over a pool that is not its own, Knex gives its connection back twice, over pg's as well
export const other: Other = async ({ pool, check, tool }) => {
  const { default: knex } = await tool<{ default: (config: object) => Knex }>("knex");
  const db = knex({ client: "pg", connectionPool: pool });
  await db.schema.createTable("authors", (table) => {
    table.increments("id");
    table.text("name").notNullable().unique();
    table.jsonb("data");
  });
  await db.schema.createTable("books", (table) => {
    table.increments("id");
    table.integer("author_id").references("authors.id");
    table.text("title").notNullable();
  });
  check("inserts", await db("authors").insert([{ name: "Ada", data: { a: [1] } }, { name: "Grace" }], "id"), [{ id: 1 }, { id: 2 }]);
  await db("books").insert([{ author_id: 1, title: "Notes" }]);
  check("joins", await db("books").join("authors", "authors.id", "books.author_id").select("title", "name", "data"), [
    { title: "Notes", name: "Ada", data: { a: [1] } },
  ]);
  await db("authors").insert({ name: "Ada", data: null }).onConflict("name").merge();
  check("upserts", await db("authors").where({ name: "Ada" }).first(), { id: 1, name: "Ada", data: null });
  check("binds", (await db.raw("select ?::int + ?::int as n", [1, 2])).rows, [{ n: 3 }]);

  const outcome = await db.transaction(async (trx) => {
    await trx("authors").insert({ name: "Edsger" });
    const inner = await failureOf(() =>
      trx.transaction(async (nested) => {
        await nested("authors").insert({ name: "Barbara" });
        await nested("authors").insert({ name: "Ada" });
      }),
    );
    return (inner as { readonly code: string }).code;
  });
  check("nests a transaction that fails", outcome, "23505");
  await failureOf(() =>
    db.transaction(async (trx) => {
      await trx("authors").del();
      throw new Error("stop");
    }),
  );
  check("rolls back", await db("authors").select("name").orderBy("name"), [{ name: "Ada" }, { name: "Edsger" }, { name: "Grace" }]);

  check("changes", await db("books").where("id", 1).update({ title: "Sketch" }), 1);
  const all = await Promise.all(Array.from({ length: 30 }, async (_, n) => (await db.raw("select ?::int as n", [n])).rows[0].n));
  check("thirty at once, on three connections", all.length, 30);
  await db.destroy();
  check("ends no pool that is not its own", pool.ending, false);
};
