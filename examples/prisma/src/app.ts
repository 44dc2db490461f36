import { Hono } from "hono";
import type { Database } from "warmline";
import { requestScope } from "warmline/hono";
import { atModuleScope, PrismaWarmline } from "warmline/prisma";
import { Prisma, PrismaClient } from "./generated/client";
import { newAuthor } from "./new-author";

/** The app over a database, over HTTP and over Hyperdrive. */
export function createApp(db: Database) {
  // Prisma gathers what a client is asked at a time, whoever asks: in a Worker each request's own has to be kept apart.
  const prisma = atModuleScope(new PrismaClient({ adapter: new PrismaWarmline(db) }));
  const app = new Hono();
  app.use(requestScope(db));

  app.get("/", (c) => c.json({ transport: db.plan.transport }));

  app.get("/authors", async (c) => {
    const all = await prisma.author.findMany({
      orderBy: { id: "asc" },
      include: { books: { select: { title: true }, orderBy: { id: "asc" } } },
    });
    return c.json(all);
  });

  app.post("/authors", newAuthor, async (c) => {
    const { name, titles } = c.req.valid("json");
    try {
      const id = await prisma.$transaction(async (tx) => {
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
