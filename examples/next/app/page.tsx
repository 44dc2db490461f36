import { connection } from "next/server";
import { sql } from "warmline";
import { db } from "../lib/database";
import { OrderButton } from "./order-button";
import { PoolPanel } from "./pool-panel";

interface Product {
  readonly id: number;
  readonly name: string;
  readonly note: string;
  readonly price_cents: number;
  readonly stock: number;
}

interface Order {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
}

const price = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });
const time = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

export default async function Page() {
  // from here on nothing runs at build time
  await connection();
  const [products, orders] = await db.batch(
    [
      sql<Product>`select id, name, note, price_cents, stock from products order by id`,
      sql<Order>`select o.id, p.name, o.created_at from orders o join products p on p.id = o.product_id order by o.id desc limit 5`,
    ],
    { readOnly: true },
  );
  return (
    <main>
      <header>
        <p className="eyebrow">warmline on Next.js</p>
        <h1>
          Warm tea, <em>warm connections</em>
        </h1>
        <p className="lead">
          The proxy, two routes, this page and the button below each have a copy of the code, and all of them share one pool of connections.
        </p>
      </header>
      <section aria-labelledby="shelf">
        <h2 id="shelf">On the shelf</h2>
        <ul className="shelf">
          {products.rows.map((product) => (
            <li key={product.id} className="card">
              <div className="title">
                <h3>{product.name}</h3>
                <span className="price">{price.format(product.price_cents / 100)}</span>
              </div>
              <p className="note">{product.note}</p>
              <p className={product.stock < 10 ? "stock low" : "stock"}>{product.stock} left</p>
              <OrderButton product={product.id} soldOut={product.stock === 0} />
            </li>
          ))}
        </ul>
      </section>
      <div className="below">
        <section aria-labelledby="orders">
          <h2 id="orders">Last orders</h2>
          {orders.rows.length === 0 ? <p className="note">None yet. The first one is a transaction away.</p> : null}
          <ol className="orders">
            {orders.rows.map((placed) => (
              <li key={placed.id}>
                <span>{placed.name}</span>
                <time dateTime={placed.created_at.toISOString()}>{time.format(placed.created_at)} UTC</time>
              </li>
            ))}
          </ol>
        </section>
        <PoolPanel stats={db.stats()} plan={db.plan} />
      </div>
    </main>
  );
}
