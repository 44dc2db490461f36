import { Hono } from "hono";
import type { Database } from "warmline";
import { requestScope } from "warmline/hono";
import { PrismaWarmline } from "warmline/prisma";
import { Prisma, PrismaClient } from "./generated/client";
import { newAuthor } from "./new-author";

/** The app over a database, over HTTP and over Hyperdrive. */
export function createApp(db: Database) {
  const adapter = new PrismaWarmline(db);
  // In a Worker each request has a client of its own, over the one database: Prisma gathers what a client is asked at a time, whoever asks.
  const open = () => new PrismaClient({ adapter });
  const app = new Hono();
  app.use(requestScope(db));

  app.get("/", (c) => c.json({ transport: db.plan.transport }));

  app.get("/authors", async (c) => {
    const all = await open().author.findMany({
      orderBy: { id: "asc" },
      include: { books: { select: { title: true }, orderBy: { id: "asc" } } },
    });
    return c.json(all);
  });

  app.post("/authors", newAuthor, async (c) => {
    const { name, titles } = c.req.valid("json");
    try {
      const id = await open().$transaction(async (tx) => {
        const author = await tx.author.create({ data: { name } });
        await tx.book.createMany({ data: titles.map((title) => ({ title, authorId: author.id })) });
        return author.id;
      });
      return c.json({ id }, 201);
    } catch (error) {
      const isConflict = error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002";
      if (isConflict) return c.json({ error: "There is an author of this name." }, 409);
      throw error;
    }
  });

  return app;
}
