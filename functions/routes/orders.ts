import { Hono } from "hono/tiny";
import type { Database } from "warmline";
import { type AppEnv, noted } from "../context.ts";
import { presentOrder, selectOrder } from "../orders/order.ts";
import { placeOrder } from "../orders/place-order.ts";
import { Problem } from "../problem.ts";
import { requireJson, type Validate } from "../validate.ts";

/** `POST /orders` and `GET /orders/:id`. */
export function orderRoutes(db: Database, validate: Validate) {
  return new Hono<AppEnv>()
    .post("/orders", validate("header", "orderHeaders"), requireJson, validate("json", "orderRequest"), async (c) => {
      const { order, replayed } = await placeOrder(db, {
        idempotencyKey: c.req.valid("header")["idempotency-key"],
        lines: c.req.valid("json").lines,
        onVia: (via) => c.set("via", via),
      });
      c.header("Location", `/orders/${order.id}`);
      if (replayed) c.header("Idempotency-Replayed", "true");
      return c.json(order, replayed ? 200 : 201);
    })
    .get("/orders/:id", validate("param", "orderPath"), async (c) => {
      const { id } = c.req.valid("param");
      const [stored] = noted(c, await db.query(selectOrder({ id }), { readOnly: true })).rows;
      if (stored === undefined) throw new Problem(404, "ORDER_NOT_FOUND", "There is no order with this id.");
      return c.json(presentOrder(stored));
    });
}
