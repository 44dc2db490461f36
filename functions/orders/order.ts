import { type Sql, sql } from "warmline";

/** One product of an order at the price it was ordered for. */
export interface OrderLine {
  readonly productId: number;
  readonly quantity: number;
  readonly priceCents: number;
}

/** An order as the API shows it. Lines are sorted by product. */
export interface Order {
  readonly id: string;
  readonly status: "reserved";
  readonly createdAt: Date;
  readonly lines: readonly OrderLine[];
  readonly totalCents: number;
}

/** An order as the database keeps it, with the digest of the request that made it. */
export interface StoredOrder extends Omit<Order, "totalCents"> {
  readonly fingerprint: string;
}

/** The statement that reads one order and its lines, by id or by idempotency key. */
export function selectOrder(by: { readonly id: string } | { readonly idempotencyKey: string }): Sql<StoredOrder> {
  const condition = "id" in by ? sql`o.id = ${by.id}::uuid` : sql`o.idempotency_key = ${by.idempotencyKey}`;
  return sql<StoredOrder>`
    select o.id, o.status, o.created_at as "createdAt", o.fingerprint,
      (select json_agg(json_build_object('productId', l.product_id, 'quantity', l.quantity, 'priceCents', l.price_cents) order by l.product_id)
        from order_lines l where l.order_id = o.id) as lines
    from orders o where ${condition}`;
}

/** The order as the API shows it: without the fingerprint, with its total. */
export function presentOrder(stored: Omit<StoredOrder, "fingerprint">): Order {
  return {
    id: stored.id,
    status: stored.status,
    createdAt: stored.createdAt,
    lines: stored.lines,
    totalCents: stored.lines.reduce((sum, line) => sum + line.priceCents * line.quantity, 0),
  };
}
