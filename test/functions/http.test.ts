import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type Database } from "warmline";
import type { Order } from "../../functions/orders/order.ts";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { createDemoDatabase, createTestApp, type DemoDatabase, orderOf, type TestApp } from "./demo-app.ts";

let demo: DemoDatabase;
let endpoint: Endpoint;
let db: Database;
let app: TestApp;
beforeAll(async () => {
  demo = await createDemoDatabase();
  endpoint = await startEndpoint({ databaseUrl: demo.url, port: 0 });
  db = createDatabase({ url: demo.url, endpoint: endpoint.url, transport: "http" });
});
afterAll(async () => {
  await db?.close();
  await endpoint?.stop();
  await demo?.stop();
});
beforeEach(async () => {
  app = createTestApp(db);
  await demo.ask("truncate orders cascade");
  await demo.ask("update products set stock = 5 where id = 1");
});

describe("the application over HTTP", () => {
  it("answers as over a pool, and says n/a for a connection that is not held", async () => {
    const pooled = createTestApp(demo.db);
    for (const path of ["/ready", "/products?limit=3", "/products/10", "/products/4711"]) {
      const [answer, norm] = [await app.get(path), await pooled.get(path)];
      expect([answer.status, await answer.json()], path).toEqual([norm.status, await norm.json()]);
      expect([answer.headers.get("X-Connection-Id"), answer.headers.get("X-Connection-Reused")], path).toEqual(["n/a", "n/a"]);
    }
  });

  it("proves which backend did the work, and claims no reuse", async () => {
    const proof = await (await app.get("/proof")).json();
    expect(proof).toMatchObject({
      transport: "http",
      connectionId: "n/a",
      connectionReused: "n/a",
      backendPid: expect.any(Number),
      products: 10,
    });
  });

  it("makes an order in an interactive transaction, repeats it, and reads it as the pool does", async () => {
    const first = await app.order("http", orderOf(1, 2));
    const second = await app.order("http", orderOf(1, 2));
    expect([first.status, second.status]).toEqual([201, 200]);
    const order = (await first.json()) as Order;
    expect(await second.json()).toEqual(order);
    expect(await (await createTestApp(demo.db).get(`/orders/${order.id}`)).json()).toEqual(order);
  });

  it("sells exactly the stock to 20 callers at once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => app.order(`caller-${index}`, orderOf(1))));
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([...Array(5).fill(201), ...Array(15).fill(409)]);
    expect(await demo.ask("select stock from products where id = 1")).toEqual([{ stock: 0 }]);
  });
});
