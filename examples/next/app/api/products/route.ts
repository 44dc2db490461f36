import { db } from "../../../lib/database";

/** What is for sale, and what this process' pool has done so far. */
export async function GET(): Promise<Response> {
  const products = await db.sql`select id, name, price_cents, stock from products order by id`;
  return Response.json({ products, pool: db.stats() });
}
