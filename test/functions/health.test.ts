import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase } from "warmline";
import { createDemoDatabase, createTestApp, type DemoDatabase, orderOf } from "./demo-app.ts";

/** A server that takes connections and never says a word. */
let silent: Server;
let silentUrl: string;
beforeAll(async () => {
  silent = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  silentUrl = `postgres://user:canary-password@127.0.0.1:${typeof address === "object" ? address?.port : 0}/none`;
});
afterAll(() => silent.close());

const closedUrl = "postgres://user:canary-password@127.0.0.1:1/none";

describe("without a database", () => {
  it("/health answers 200 and asks none", async () => {
    const db = createDatabase(closedUrl);
    const answer = await createTestApp(db).get("/health");
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
    expect(db.stats()).toMatchObject({ connects: 0, total: 0, waiting: 0 });
    await db.close();
  });

  it.each([
    ["refuses", closedUrl],
    ["is silent", () => silentUrl],
  ])("/ready answers 503 with Retry-After when it %s", async (_title, url) => {
    const db = createDatabase({ url: typeof url === "string" ? url : url(), connectTimeoutMs: 1_000 });
    const app = createTestApp(db, { readyDeadlineMs: 100 });
    const answer = await app.get("/ready");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("Retry-After")).toBe("1");
    expect(await answer.json()).toEqual({ error: { code: "NOT_READY", message: expect.any(String) } });
    expect(app.faults).toHaveLength(1);
    expect(app.faults[0]).toMatchObject({ method: "GET", path: "/ready", invocation: 1 });
    expect(app.faults[0]?.error).toMatchObject({ fate: "not-sent" });
    await db.close();
  });

  it("every route that asks it answers 503 with Retry-After, the proof's headers and nothing of its address", async () => {
    const db = createDatabase({ url: closedUrl, deadlineMs: 200 });
    const app = createTestApp(db);
    for (const answer of [
      await app.get("/products"),
      await app.get("/products/1"),
      await app.get(`/orders/${crypto.randomUUID()}`),
      await app.get("/proof"),
      await app.order("none", orderOf(1)),
    ]) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toBe("1");
      expect(answer.headers.get("X-Connection-Id")).toBe("n/a");
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({ error: { code: "UNAVAILABLE" } });
      expect(text).not.toMatch(/canary|127\.0\.0\.1|ECONN/);
    }
    await db.close();
  });

  it("a closed handle answers 503", async () => {
    const db = createDatabase(closedUrl);
    await db.close();
    expect((await createTestApp(db).get("/products")).status).toBe(503);
  });
});

describe("with a database", () => {
  let demo: DemoDatabase;
  beforeAll(async () => {
    demo = await createDemoDatabase();
  });
  afterAll(() => demo?.stop());

  it("/ready answers 200", async () => {
    const answer = await createTestApp(demo.db).get("/ready");
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ready" }]);
  });

  it("too many connections answer 503 with Retry-After", async () => {
    await demo.ask("create role crowded login password 'crowded' connection limit 0");
    await demo.ask("grant select on products to crowded");
    const url = new URL(demo.url);
    url.username = "crowded";
    url.password = "crowded";
    const db = createDatabase({ url: url.href, deadlineMs: 20_000 });
    const app = createTestApp(db);
    const answer = await app.get("/products");
    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "1"]);
    expect(app.faults[0]?.error).toMatchObject({ code: "53300" });
    await db.close();
    await demo.ask("drop owned by crowded");
    await demo.ask("drop role crowded");
  });

  it("a failure of our own answers 500, tells nothing of it, and is reported", async () => {
    await demo.ask("alter table products rename to canary_products");
    const app = createTestApp(demo.db);
    const answer = await app.get("/products");
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ error: { code: "INTERNAL", message: "The server failed to answer this request." } });
    expect(app.faults[0]?.error).toMatchObject({ code: "42P01" });
    await demo.ask("alter table canary_products rename to products");
    expect((await app.get("/products")).status).toBe(200);
  });
});
