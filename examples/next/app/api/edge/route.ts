import { db } from "../../../lib/database";

export const runtime = "edge";

/** What is running out, on the edge runtime: the same file, the same call, one POST instead of a connection. */
export async function GET(): Promise<Response> {
  const products = await db.sql`select id, name, stock from products where stock < 20 order by stock`;
  return Response.json({ products, runtime: db.plan.runtime, transport: db.plan.transport });
}
