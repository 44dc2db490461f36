import { Hono } from "hono/tiny";
import { type Database, sql } from "warmline";
import { type AppEnv, noted } from "../context.ts";
import { Problem } from "../problem.ts";
import type { Validate } from "../validate.ts";

/** A product as the API shows it. */
export interface Product {
  readonly id: number;
  readonly name: string;
  readonly priceCents: number;
  readonly stock: number;
}

/** `GET /products`, page by page in the order of ids, and `GET /products/:id`. */
export function productRoutes(db: Database, validate: Validate) {
  return new Hono<AppEnv>()
    .get("/products", validate("query", "productPage"), async (c) => {
      const { limit, after } = c.req.valid("query");
      // One more than the page holds tells whether there is another.
      const statement = sql<Product>`
        select id, name, price_cents as "priceCents", stock from products where id > ${after} order by id limit ${limit + 1}`;
      const { rows } = noted(c, await db.query(statement, { readOnly: true }));
      const products = rows.slice(0, limit);
      return c.json({ products, next: rows.length > limit ? (products.at(-1)?.id ?? null) : null });
    })
    .get("/products/:id", validate("param", "productPath"), async (c) => {
      const { id } = c.req.valid("param");
      const statement = sql<Product>`select id, name, price_cents as "priceCents", stock from products where id = ${id}`;
      const [product] = noted(c, await db.query(statement, { readOnly: true })).rows;
      if (product === undefined) throw new Problem(404, "PRODUCT_NOT_FOUND", "There is no product with this id.");
      return c.json(product);
    });
}
