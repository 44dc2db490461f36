import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Product } from "../../functions/routes/products.ts";
import { createDemoDatabase, createTestApp, type DemoDatabase, type TestApp } from "./demo-app.ts";

let demo: DemoDatabase;
let app: TestApp;
beforeAll(async () => {
  demo = await createDemoDatabase();
  app = createTestApp(demo.db);
});
afterAll(() => demo?.stop());

interface Page {
  readonly products: readonly Product[];
  readonly next: number | null;
}
const page = async (query: string) => (await (await app.get(`/products${query}`)).json()) as Page;

describe("GET /products", () => {
  it("gives each product once when its pages are followed", async () => {
    const ids: number[] = [];
    const sizes: number[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const { products, next }: Page = await page(`?limit=4&after=${after}`);
      ids.push(...products.map((product) => product.id));
      sizes.push(products.length);
      after = next;
    }
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(sizes).toEqual([4, 4, 2]);
  });

  it("has no next page when the last one is exactly full", async () => {
    expect((await page("?limit=5&after=5")).next).toBeNull();
  });

  it("gives an empty page behind the last product", async () => {
    expect(await page("?after=2147483647")).toEqual({ products: [], next: null });
  });

  it("gives 20 products when no number is named", async () => {
    await demo.ask("insert into products select n, 'more', 1, 1 from generate_series(11, 30) n");
    expect((await page("")).products).toHaveLength(20);
    await demo.ask("delete from products where id > 10");
  });
});

describe("GET /products/:id", () => {
  it("gives the product", async () => {
    const answer = await app.get("/products/10");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ id: 10, name: "Gold-rimmed cup", priceCents: 9_900, stock: 1 });
  });

  it("answers 404 for a product that does not exist", async () => {
    const answer = await app.get("/products/4711");
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "PRODUCT_NOT_FOUND" } });
  });
});
