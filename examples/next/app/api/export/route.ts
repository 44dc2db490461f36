import { sql } from "warmline";
import { db } from "../../../lib/database";

/** A slow reader may take so long. */
const deadlineMs = 600_000;

/** All orders, as they come: what is not read yet is not fetched yet, and who goes away ends the statement. */
export function GET({ signal }: Request): Response {
  const orders = sql`select o.id, p.name, o.quantity, o.created_at from orders o join products p on p.id = o.product_id order by o.id`;
  const headers = { "content-type": "application/x-ndjson" };
  return new Response(db.stream(orders, { readOnly: true, deadlineMs, signal }).toReadable(), { headers });
}
