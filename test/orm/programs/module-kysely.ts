import { type Generated, Kysely, PostgresDialect } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import { hyperdrive } from "warmline/hyperdrive";
import { sharedPool } from "warmline/pool";
import type { Service } from "../at-module-scope.ts";

interface Tables {
  Author: { id: Generated<number>; name: string };
  Book: { id: Generated<number>; title: string; authorId: number };
}

const pool = sharedPool({ tcp: hyperdrive() });
const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });

export const orm: Service = {
  pool,
  async serve(id) {
    const { id: authorId } = await db.insertInto("Author").values({ name: id }).returning("id").executeTakeFirstOrThrow();
    const titles = ["Notes", "Sketch"];
    await db
      .insertInto("Book")
      .values(titles.map((title) => ({ title, authorId })))
      .execute();
    const undone = db.transaction().execute(async (tx) => {
      await tx.deleteFrom("Book").where("authorId", "=", authorId).execute();
      throw new Error("stop");
    });
    await undone.catch(() => {});
    const found = await db
      .selectFrom("Author")
      .select(({ selectFrom }) => [
        "name",
        jsonArrayFrom(selectFrom("Book").select("title").whereRef("authorId", "=", "Author.id").orderBy("Book.id")).as("books"),
      ])
      .where("name", "=", id)
      .executeTakeFirst();
    const { left } = await db
      .selectFrom("Author")
      .select(({ fn }) => fn.countAll<string>().as("left"))
      .where("name", "=", id)
      .executeTakeFirstOrThrow();
    return { ...found, left: Number(left) };
  },
};
