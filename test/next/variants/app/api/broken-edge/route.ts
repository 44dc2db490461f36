import { db } from "../../../lib/database";

export const runtime = "edge";

/** The same on the edge runtime. */
export async function GET(): Promise<Response> {
  const { rows } = await db.query("select name\nfrom shelf where id = 1");
  return Response.json(rows);
}
