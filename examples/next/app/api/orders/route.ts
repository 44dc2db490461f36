import { desc, eq } from "drizzle-orm";
import { orm } from "../../../lib/orm";
import { orders, products } from "../../../lib/tables";

/** The last orders, read by Drizzle over the same pool. */
export async function GET(): Promise<Response> {
  const last = await orm
    .select({ id: orders.id, product: products.name, quantity: orders.quantity, createdAt: orders.createdAt })
    .from(orders)
    .innerJoin(products, eq(products.id, orders.productId))
    .orderBy(desc(orders.id))
    .limit(20);
  return Response.json({ orders: last });
}
