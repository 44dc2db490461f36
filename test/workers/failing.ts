import { createDatabase } from "warmline";

const db = createDatabase();

/** Asks for a table that is not there. */
export default {
  async fetch(): Promise<Response> {
    const { rows } = await db.query("select name\nfrom shelf");
    return Response.json(rows);
  },
};
