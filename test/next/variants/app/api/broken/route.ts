import { db } from "../../../lib/database";

/** Asks for a table that is not there. */
export async function GET(): Promise<Response> {
  const { rows } = await db.query("select name\nfrom shelf where id = 1");
  return Response.json(rows);
}
