import * as database from "../../../lib/database";

/** Which edit of the database file this process has evaluated. */
export async function GET(): Promise<Response> {
  const [row] = await database.db.sql`select 1 as one`;
  return Response.json({ edit: "edit" in database ? database.edit : 0, row });
}
