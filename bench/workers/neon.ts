import { neon } from "@neondatabase/serverless";

/** A worker over Neon's driver alone. */
export default {
  async fetch(_: Request, { DATABASE_URL }: { readonly DATABASE_URL?: string }): Promise<Response> {
    return DATABASE_URL === undefined ? new Response("started") : Response.json(await neon(DATABASE_URL)`select 1`);
  },
};
