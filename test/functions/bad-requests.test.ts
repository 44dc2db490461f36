import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProblemBody } from "../../functions/problem.ts";
import { createDemoDatabase, createTestApp, type DemoDatabase, orderOf, type TestApp } from "./demo-app.ts";

let demo: DemoDatabase;
let app: TestApp;
beforeAll(async () => {
  demo = await createDemoDatabase();
  app = createTestApp(demo.db);
});
afterAll(() => demo?.stop());

const canary = "canary-4711-value";
const line = { productId: 1, quantity: 1 };

/** [what is wrong, body, the field the answer has to name] */
const bodies: readonly (readonly [string, unknown, string])[] = [
  ["is a list", [canary], "lines"],
  ["is a text", JSON.stringify(canary), ""],
  ["is null", null, ""],
  ["is empty", {}, "lines"],
  ["has an unknown field", { lines: [line], coupon: canary }, "coupon"],
  ["has no list of lines", { lines: canary }, "lines"],
  ["has no lines", { lines: [] }, "lines"],
  ["has 21 lines", { lines: Array.from({ length: 21 }, (_, index) => ({ productId: index + 1, quantity: 1 })) }, "lines"],
  ["names a product twice", { lines: [line, { productId: 1, quantity: 2 }] }, "lines"],
  ["has a line that is a text", { lines: [line, canary] }, "lines.1"],
  ["has an unknown field in a line", { lines: [{ ...line, price: canary }] }, "lines.0.price"],
  ["has no product", { lines: [{ quantity: 1 }] }, "lines.0.productId"],
  ["has a product that is a text", { lines: [{ productId: canary, quantity: 1 }] }, "lines.0.productId"],
  ["has product 0", { lines: [{ productId: 0, quantity: 1 }] }, "lines.0.productId"],
  ["has a product beyond 32 bits", { lines: [{ productId: 2_147_483_648, quantity: 1 }] }, "lines.0.productId"],
  ["has a quantity of 0", { lines: [{ productId: 1, quantity: 0 }] }, "lines.0.quantity"],
  ["has a negative quantity", { lines: [{ productId: 1, quantity: -5 }] }, "lines.0.quantity"],
  ["has a quantity of 1.5", { lines: [{ productId: 1, quantity: 1.5 }] }, "lines.0.quantity"],
  ["has a quantity of 1001", { lines: [{ productId: 1, quantity: 1_001 }] }, "lines.0.quantity"],
  ["has a quantity of 1e999", '{"lines":[{"productId":1,"quantity":1e999}]}', "lines.0.quantity"],
  ["has a quantity of null", { lines: [{ productId: 1, quantity: null }] }, "lines.0.quantity"],
];

describe("a body of POST /orders", () => {
  it.each(bodies)("that %s is refused, the field named and its value not", async (_title, body, field) => {
    const answer = await app.order("bad-body", body);
    expect(answer.status).toBe(400);
    const text = await answer.text();
    const { error } = JSON.parse(text) as ProblemBody;
    expect(error.code).toBe("VALIDATION_FAILED");
    expect(error.fields).toContainEqual({ in: "body", field, message: expect.stringMatching(/^must /) });
    expect(text).not.toContain(canary);
  });

  it.each(["", "{", '{"lines":', `{"lines": ${canary}}`, "\u0000"])("that is no JSON is refused: %j", async (body) => {
    const answer = await app.order("no-json", body);
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: "MALFORMED_BODY" } });
    expect(text).not.toContain(canary);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data"])(
    "of type %s is refused",
    async (type) => {
      const answer = await app.order("wrong-type", orderOf(1), { "Content-Type": type });
      expect(answer.status).toBe(415);
      expect(await answer.json()).toMatchObject({ error: { code: "UNSUPPORTED_MEDIA_TYPE" } });
    },
  );

  it("with a charset beside its type is taken", async () => {
    expect((await app.order("charset", orderOf(1), { "Content-Type": "application/json; charset=utf-8" })).status).toBe(201);
  });

  it("with its length cut at 64 KiB is taken up to there and refused beyond", async () => {
    const padded = (bytes: number) => JSON.stringify(orderOf(1)).padEnd(bytes, " ");
    const sized = (bytes: number) => app.order(`sized-${bytes}`, padded(bytes), { "Content-Length": String(bytes) });
    expect((await sized(65_536)).status).toBe(201);
    const answer = await sized(65_537);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { code: "BODY_TOO_LARGE" } });
  });

  it("that does not tell its length is refused once it is beyond 64 KiB, unread to its end", async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(16_384).fill(32));
      },
    });
    const answer = await app.request("/orders", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": "endless" },
      body: endless,
      duplex: "half",
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(pulled).toBeLessThan(10);
  });
});

describe("the header Idempotency-Key", () => {
  it.each([
    ["is missing", undefined],
    ["is empty", ""],
    ["has 256 characters", "k".repeat(256)],
    ["has a space within", `${canary} two`],
    ["has a letter beyond ASCII", "schlüssel"],
  ])("that %s is refused", async (_title, key) => {
    const answer = await app.order(key, orderOf(1));
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect((JSON.parse(text) as ProblemBody).error.fields).toMatchObject([{ in: "header", field: "idempotency-key" }]);
    expect(text).not.toContain(canary);
  });

  it("of 255 characters is taken", async () => {
    expect((await app.order("k".repeat(255), orderOf(1))).status).toBe(201);
  });
});

describe("an address", () => {
  it.each([
    ["/products?limit=0", "query", "limit"],
    ["/products?limit=101", "query", "limit"],
    ["/products?limit=", "query", "limit"],
    ["/products?limit=ten", "query", "limit"],
    ["/products?limit=1e1", "query", "limit"],
    ["/products?limit=5&limit=6", "query", "limit"],
    ["/products?after=-1", "query", "after"],
    ["/products?after=2147483648", "query", "after"],
    ["/products?after=1'--", "query", "after"],
    ["/products/0", "path", "id"],
    ["/products/two", "path", "id"],
    ["/products/99999999999999999999", "path", "id"],
    ["/products/%00", "path", "id"],
    ["/orders/1", "path", "id"],
    ["/orders/00000000-0000-0000-0000-00000000000g", "path", "id"],
  ])("%s is refused, the part named", async (path, place, field) => {
    const answer = await app.get(path);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as ProblemBody).error.fields).toMatchObject([{ in: place, field }]);
  });

  it.each(["/product", "/products/1/2", "/orders", "/%ff"])("%s that does not exist answers 404 in JSON", async (path) => {
    const answer = await app.get(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "NOT_FOUND" } });
  });
});

it("serves the next request after each of these", async () => {
  expect((await app.get("/products/1")).status).toBe(200);
  expect(app.faults).toEqual([]);
});
