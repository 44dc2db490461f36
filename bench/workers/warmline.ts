import { createDatabase, sql } from "warmline";

/** A worker over the main entry. */
export default {
  async fetch(_: Request, { DATABASE_URL }: { readonly DATABASE_URL?: string }): Promise<Response> {
    return DATABASE_URL === undefined ? new Response("started") : Response.json(await createDatabase().query(sql`select 1`));
  },
};
