import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Order } from "../../functions/orders/order.ts";
import { createDemoDatabase, createTestApp, type DemoDatabase, orderOf, type TestApp } from "./demo-app.ts";

let demo: DemoDatabase;
let app: TestApp;
beforeAll(async () => {
  demo = await createDemoDatabase();
  app = createTestApp(demo.db);
});
afterAll(() => demo?.stop());
beforeEach(async () => {
  await demo.ask("truncate orders cascade");
  await demo.ask("update products set stock = 10, price_cents = 100 * id");
});

const stockOf = async (id: number) => (await demo.ask("select stock from products where id = $1", [id]))[0]?.stock;
const orderCount = async () => (await demo.ask("select count(*)::int as n from orders"))[0]?.n;
const lineCount = async () => (await demo.ask("select count(*)::int as n from order_lines"))[0]?.n;
const statuses = (answers: readonly Response[]) => answers.map((answer) => answer.status).toSorted((a, b) => a - b);
const errorOf = async (answer: Response) => ((await answer.json()) as { error: { code: string; message: string } }).error;

describe("POST /orders", () => {
  it("makes an order, takes its stock and says where it is", async () => {
    const answer = await app.order("new", {
      lines: [
        { productId: 3, quantity: 2 },
        { productId: 1, quantity: 4 },
      ],
    });
    expect(answer.status).toBe(201);
    const order = (await answer.json()) as Order;
    expect(order).toMatchObject({
      status: "reserved",
      lines: [
        { productId: 1, quantity: 4, priceCents: 100 },
        { productId: 3, quantity: 2, priceCents: 300 },
      ],
      totalCents: 1_000,
    });
    expect([await stockOf(1), await stockOf(3)]).toEqual([6, 8]);
    expect(answer.headers.get("Location")).toBe(`/orders/${order.id}`);
    expect(answer.headers.has("Idempotency-Replayed")).toBe(false);

    const read = await app.get(`/orders/${order.id}`);
    expect(read.status).toBe(200);
    expect(await read.json()).toEqual(order);
  });

  it("answers a repeated request with the first order, whatever the order of its lines, and takes nothing more", async () => {
    const lines = [
      { productId: 1, quantity: 4 },
      { productId: 2, quantity: 1 },
    ];
    const first = await app.order("same", { lines });
    const second = await app.order("same", { lines: lines.toReversed() });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.headers.get("Idempotency-Replayed")).toBe("true");
    expect(second.headers.get("Location")).toBe(first.headers.get("Location"));
    expect(await second.json()).toEqual(await first.json());
    expect(await stockOf(1)).toBe(6);
  });

  it("answers a repeated request with the price of the first one after the price has changed", async () => {
    await app.order("price", orderOf(2));
    await demo.ask("update products set price_cents = 999 where id = 2");
    const again = (await (await app.order("price", orderOf(2))).json()) as Order;
    expect(again.totalCents).toBe(200);
  });

  it("refuses a key that was used for another order", async () => {
    await app.order("taken", orderOf(1, 1));
    const answer = await app.order("taken", orderOf(1, 2));
    expect(answer.status).toBe(422);
    expect((await errorOf(answer)).code).toBe("IDEMPOTENCY_KEY_REUSED");
    expect(await stockOf(1)).toBe(9);
  });

  it("leaves nothing done when one of several lines is out of stock, and frees the key", async () => {
    const lines = [
      { productId: 1, quantity: 2 },
      { productId: 2, quantity: 11 },
    ];
    const answer = await app.order("short", { lines });
    expect(answer.status).toBe(409);
    expect((await errorOf(answer)).code).toBe("OUT_OF_STOCK");
    expect([await stockOf(1), await stockOf(2), await orderCount(), await lineCount()]).toEqual([10, 10, 0, 0]);

    await demo.ask("update products set stock = 11 where id = 2");
    expect((await app.order("short", { lines })).status).toBe(201);
  });

  it("refuses a product that does not exist, and leaves nothing done", async () => {
    const answer = await app.order("unknown", {
      lines: [
        { productId: 1, quantity: 2 },
        { productId: 4711, quantity: 1 },
      ],
    });
    expect(answer.status).toBe(422);
    expect((await errorOf(answer)).code).toBe("UNKNOWN_PRODUCT");
    expect([await stockOf(1), await orderCount()]).toEqual([10, 0]);
  });

  it("sells exactly the stock to 50 callers at once", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => app.order(`caller ${index}`.replace(" ", "-"), orderOf(4))));
    expect(statuses(answers)).toEqual([...Array(10).fill(201), ...Array(40).fill(409)]);
    expect([await stockOf(4), await orderCount(), await lineCount()]).toEqual([0, 10, 10]);
  });

  it("makes one order of 50 equal requests at once, and answers all of them with it", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => app.order("equal", orderOf(5, 3))));
    expect(statuses(answers)).toEqual([...Array(49).fill(200), 201]);
    const orders = await Promise.all(answers.map((answer) => answer.json() as Promise<Order>));
    expect(new Set(orders.map((order) => order.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get("Idempotency-Replayed") === "true")).toHaveLength(49);
    expect([await stockOf(5), await orderCount()]).toEqual([7, 1]);
  });

  it("lets one of two different requests with the same key through, also at once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => app.order("rivals", orderOf(6, 1 + (index % 2)))));
    expect(statuses(answers)).toEqual([...Array(9).fill(200), 201, ...Array(10).fill(422)]);
    expect(await orderCount()).toBe(1);
  });

  it("serves callers that name the same products in opposite order without a deadlock", async () => {
    await demo.ask("update products set stock = 1000");
    const lines = [1, 2, 3, 4, 5].map((productId) => ({ productId, quantity: 1 }));
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => app.order(`pair-${index}`, { lines: index % 2 ? lines : lines.toReversed() })),
    );
    expect(statuses(answers)).toEqual(Array(30).fill(201));
    expect(app.faults).toEqual([]);
  });

  it("takes the largest order there may be, and totals it beyond 32 bits", async () => {
    await demo.ask("insert into products select 100 + n, 'bulk', 2000000000, 1000 from generate_series(1, 20) n on conflict do nothing");
    const answer = await app.order("largest", { lines: Array.from({ length: 20 }, (_, n) => ({ productId: 101 + n, quantity: 1_000 })) });
    expect(answer.status).toBe(201);
    expect(((await answer.json()) as Order).totalCents).toBe(40_000_000_000_000);
    await demo.ask("truncate orders cascade");
    await demo.ask("delete from products where id > 100");
  });
});

describe("GET /orders/:id", () => {
  it("answers 404 for an order that does not exist", async () => {
    const answer = await app.get(`/orders/${crypto.randomUUID()}`);
    expect(answer.status).toBe(404);
    expect((await errorOf(answer)).code).toBe("ORDER_NOT_FOUND");
  });

  it("gives the lines by product, wherever the table keeps them", async () => {
    const lines = [1, 2, 3].map((productId) => ({ productId, quantity: 1 }));
    const { id } = (await (await app.order("sorted", { lines })).json()) as Order;
    // Without its index the table is read as it lies, and the line that was written last lies last.
    await demo.ask("alter table order_lines drop constraint order_lines_pkey");
    await demo.ask("update order_lines set quantity = quantity where product_id = 1");
    const order = (await (await app.get(`/orders/${id}`)).json()) as Order;
    await demo.ask("alter table order_lines add primary key (order_id, product_id)");
    expect(order.lines.map((line) => line.productId)).toEqual([1, 2, 3]);
  });

  it("does not show the key or the fingerprint of the request", async () => {
    const { id } = (await (await app.order("canary-key", orderOf(1))).json()) as Order;
    const text = await (await app.get(`/orders/${id}`)).text();
    expect(Object.keys(JSON.parse(text))).toEqual(["id", "status", "createdAt", "lines", "totalCents"]);
    expect(text).not.toContain("canary-key");
  });
});
