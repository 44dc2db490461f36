import { asc, DrizzleQueryError } from "drizzle-orm";
import { Hono } from "hono";
import { type Database, DatabaseError } from "warmline";
import { drizzle } from "warmline/drizzle";
import { requestScope } from "warmline/hono";
import { newAuthor } from "./new-author";
import * as schema from "./tables";

const { authors, books } = schema;

/** The app over a database: the same on every runtime. */
export function createApp(db: Database) {
  const orm = drizzle(db, { schema });
  const app = new Hono();
  app.use(requestScope(db));

  app.get("/", (c) => c.json({ transport: db.plan.transport }));

  app.get("/authors", async (c) => {
    const all = await orm.query.authors.findMany({
      orderBy: asc(authors.id),
      with: { books: { columns: { title: true }, orderBy: asc(books.id) } },
    });
    return c.json(all);
  });

  app.post("/authors", newAuthor, async (c) => {
    const { name, titles } = c.req.valid("json");
    try {
      const id = await orm.transaction(async (tx) => {
        const [author] = await tx.insert(authors).values({ name }).returning({ id: authors.id });
        if (author === undefined) throw new Error("The insert gave no row.");
        await tx.insert(books).values(titles.map((title) => ({ title, authorId: author.id })));
        return author.id;
      });
      return c.json({ id }, 201);
    } catch (error) {
      if (isConflict(error)) return c.json({ error: "There is an author of this name." }, 409);
      throw error;
    }
  });

  return app;
}

/** Drizzle wraps what the driver rejects with. */
function isConflict(error: unknown): boolean {
  return error instanceof DrizzleQueryError && error.cause instanceof DatabaseError && error.cause.code === "23505";
}
