import { type Database, sql, type Transaction } from "warmline";
import type { Via } from "../context.ts";
import { Problem } from "../problem.ts";
import type { OrderLineRequest } from "../schemas.ts";
import { sha256 } from "../sha256.ts";
import { type Order, type OrderLine, presentOrder, type StoredOrder, selectOrder } from "./order.ts";

/** What {@link placeOrder} needs to know. */
export interface OrderPlacement {
  readonly idempotencyKey: string;
  /** Each product once. */
  readonly lines: readonly OrderLineRequest[];
  /** Told the connection of each statement. */
  readonly onVia: (via: Via) => void;
}

/** The order, and whether an earlier request with the same key had made it. */
export interface PlacedOrder {
  readonly order: Order;
  readonly replayed: boolean;
}

/** Conflicts between transactions are rare here, for stock is always taken in the order of product ids. */
const CONFLICT_RETRIES = 2;

/**
 * Makes one order per idempotency key and takes its stock, all of it or nothing, in one transaction.
 *
 * The unique key decides between equal requests that run at once: the second one's insert waits for the first one's end, then finds the order
 * or, if the first was rolled back, makes it. Read committed, so that it does find it.
 *
 * @throws Problem 409 when there is too little stock, 422 when a product is unknown or the key was used for another request.
 */
export async function placeOrder(db: Database, placement: OrderPlacement): Promise<PlacedOrder> {
  const lines = placement.lines.toSorted((a, b) => a.productId - b.productId);
  const fingerprint = await fingerprintOf(lines);
  return db.transaction(
    async (tx) => {
      const inserted = await tx.query(sql<Pick<StoredOrder, "id" | "status" | "createdAt">>`
        insert into orders (idempotency_key, fingerprint) values (${placement.idempotencyKey}, ${fingerprint})
        on conflict (idempotency_key) do nothing
        returning id, status, created_at as "createdAt"`);
      placement.onVia(inserted.via);
      const order = inserted.rows[0];
      if (order === undefined) return replay(tx, placement.idempotencyKey, fingerprint);

      const reserved: OrderLine[] = [];
      for (const line of lines) reserved.push(await reserve(tx, order.id, line));
      return { order: presentOrder({ ...order, lines: reserved }), replayed: false };
    },
    { isolation: "read committed", retries: CONFLICT_RETRIES },
  );
}

/** Takes the stock of one line and writes the line, in one statement that does both or neither. */
async function reserve(tx: Transaction, orderId: string, { productId, quantity }: OrderLineRequest): Promise<OrderLine> {
  const taken = await tx.sql<OrderLine>`
    with taken as (
      update products set stock = stock - ${quantity}::integer
      where id = ${productId}::integer and stock >= ${quantity}::integer
      returning id, price_cents
    )
    insert into order_lines (order_id, product_id, quantity, price_cents)
    select ${orderId}::uuid, id, ${quantity}::integer, price_cents from taken
    returning product_id as "productId", quantity, price_cents as "priceCents"`;
  if (taken[0] !== undefined) return taken[0];

  const known = await tx.sql`select 1 from products where id = ${productId}::integer`;
  if (known.length === 0) throw new Problem(422, "UNKNOWN_PRODUCT", `There is no product ${productId}. Nothing was ordered.`);
  throw new Problem(409, "OUT_OF_STOCK", `There is too little of product ${productId}. Nothing was ordered.`);
}

/** The order an earlier request with this key made. */
async function replay(tx: Transaction, idempotencyKey: string, fingerprint: string): Promise<PlacedOrder> {
  const [stored] = (await tx.query(selectOrder({ idempotencyKey }))).rows;
  if (stored === undefined) throw new Error("an order that blocks its key cannot be read");
  if (stored.fingerprint !== fingerprint) {
    throw new Problem(422, "IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used for another order. Take a new one.");
  }
  return { order: presentOrder(stored), replayed: true };
}

/** SHA-256 of the lines in hexadecimal: the same for two requests that ask for the same. */
async function fingerprintOf(lines: readonly OrderLineRequest[]): Promise<string> {
  const text = JSON.stringify(lines.map((line) => [line.productId, line.quantity]));
  return Array.from(await sha256(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
