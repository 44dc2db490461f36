import { Hono } from "hono";
import { Kysely } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import { type Database, DatabaseError } from "warmline";
import { requestScope } from "warmline/hono";
import { WarmlineDialect } from "warmline/kysely";
import { newAuthor } from "./new-author";
import type { Tables } from "./tables";

/** The app over a database: the same on every runtime. */
export function createApp(db: Database) {
  const kysely = new Kysely<Tables>({ dialect: new WarmlineDialect(db) });
  const app = new Hono();
  app.use(requestScope(db));

  app.get("/", (c) => c.json({ transport: db.plan.transport }));

  app.get("/authors", async (c) => {
    const all = await kysely
      .selectFrom("authors")
      .select(({ selectFrom }) => [
        "id",
        "name",
        jsonArrayFrom(selectFrom("books").select("title").whereRef("author_id", "=", "authors.id").orderBy("books.id")).as("books"),
      ])
      .orderBy("id")
      .execute();
    return c.json(all);
  });

  app.post("/authors", newAuthor, async (c) => {
    const { name, titles } = c.req.valid("json");
    try {
      const id = await kysely.transaction().execute(async (tx) => {
        const author = await tx.insertInto("authors").values({ name }).returning("id").executeTakeFirstOrThrow();
        await tx
          .insertInto("books")
          .values(titles.map((title) => ({ title, author_id: author.id })))
          .execute();
        return author.id;
      });
      return c.json({ id }, 201);
    } catch (error) {
      if (error instanceof DatabaseError && error.code === "23505") return c.json({ error: "There is an author of this name." }, 409);
      throw error;
    }
  });

  return app;
}
