import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase } from "warmline";
import { createInstance } from "../../functions/instance.ts";
import { createDemoDatabase, createTestApp, type DemoDatabase, orderOf } from "./demo-app.ts";

let demo: DemoDatabase;
beforeAll(async () => {
  demo = await createDemoDatabase();
});
afterAll(() => demo?.stop());

const proofOf = (answer: Response) => ({
  instance: answer.headers.get("X-Instance-Id"),
  invocation: answer.headers.get("X-Invocation"),
  connection: answer.headers.get("X-Connection-Id"),
  reused: answer.headers.get("X-Connection-Reused"),
});

describe("the proof", () => {
  it("counts the invocations of one instance, and shows the connection that served each", async () => {
    const app = createTestApp(demo.db, { instance: createInstance(() => "instance-1") });
    await app.get("/ready");
    const answers = [
      await app.get("/products"),
      await app.get("/products/1"),
      await app.order("proof", orderOf(1)),
      await app.get("/proof"),
    ];
    const connection = answers[0]?.headers.get("X-Connection-Id");
    expect(connection).toMatch(/\S/);
    expect(connection).not.toBe("n/a");
    expect(answers.map(proofOf)).toEqual(
      [2, 3, 4, 5].map((invocation) => ({ instance: "instance-1", invocation: String(invocation), connection, reused: "true" })),
    );
  });

  it("is n/a for the connection where no database was asked, errors included", async () => {
    const app = createTestApp(demo.db, { instance: createInstance(() => "instance-2") });
    const answers = [
      await app.get("/health"),
      await app.get("/openapi.json"),
      await app.get("/stats"),
      await app.get("/nowhere"),
      await app.get("/products/x"),
      await app.order("key", "{"),
    ];
    expect(answers.map(proofOf)).toEqual(
      answers.map((_, index) => ({ instance: "instance-2", invocation: String(index + 1), connection: "n/a", reused: "n/a" })),
    );
  });

  it("is on the answers that refuse after asking the database", async () => {
    const app = createTestApp(demo.db);
    for (const answer of [await app.get("/products/4711"), await app.order("proof-409", orderOf(10, 900))]) {
      expect([404, 409]).toContain(answer.status);
      expect(answer.headers.get("X-Connection-Reused")).toBe("true");
    }
  });

  it("says the same in the body of /proof, with the backend that did the work", async () => {
    const db = createDatabase({ url: demo.url, name: "proof of its own", max: 1, applicationName: "proof-test" });
    const app = createTestApp(db, { instance: createInstance(() => "instance-3") });
    const answers = [await app.get("/proof"), await app.get("/proof"), await app.get("/proof")];
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as Record<string, unknown>[];
    const [backend] = await demo.ask("select pid from pg_stat_activity where application_name = 'proof-test'");
    expect(bodies.map((body) => body.connectionReused)).toEqual([false, true, true]);
    for (const [index, body] of bodies.entries()) {
      expect(body).toMatchObject({ transport: "pool", backendPid: backend?.pid, products: 10 });
      expect(proofOf(answers[index] as Response)).toEqual({
        instance: body.instanceId,
        invocation: String(body.invocation),
        connection: body.connectionId,
        reused: String(body.connectionReused),
      });
    }
    await db.close();
  });
});

describe("every answer", () => {
  it("carries the headers that keep browsers careful, and is not stored", async () => {
    const app = createTestApp(demo.db);
    for (const answer of [await app.get("/products"), await app.get("/nowhere"), await app.order("key", "{")]) {
      expect(answer.headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(answer.headers.get("X-Frame-Options")).toBe("SAMEORIGIN");
      expect(answer.headers.get("Strict-Transport-Security")).toContain("max-age=");
      expect(answer.headers.get("Cache-Control")).toBe("no-store");
    }
  });
});

describe("a page of another site", () => {
  const Origin = "https://example.com";

  it("reads no answer, and sends no order: its preflight is not answered", async () => {
    const app = createTestApp(demo.db);
    const read = await app.request("/products", { headers: { Origin } });
    const preflight = await app.request("/orders", {
      method: "OPTIONS",
      headers: { Origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, idempotency-key" },
    });
    // without a preflight it may send a form, or plain text
    const body = JSON.stringify(orderOf(1));
    const simple = await app.request("/orders", {
      method: "POST",
      headers: { Origin, "Content-Type": "text/plain", "Idempotency-Key": "x" },
      body,
    });
    expect([preflight.status, simple.status]).toEqual([404, 415]);
    for (const answer of [read, preflight, simple])
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("/stats", () => {
  it("tells the plan, the numbers, and no password", async () => {
    const password = new URL(demo.url).password;
    const text = await (await createTestApp(demo.db).get("/stats")).text();
    expect(JSON.parse(text)).toMatchObject({ invocations: 1, plan: { transport: "pool" }, stats: { transport: "pool" } });
    expect(text).not.toContain(password);
  });
});

describe("an instance", () => {
  it("makes its id when it is first read, and once", () => {
    let made = 0;
    const instance = createInstance(() => `id-${++made}`);
    instance.begin();
    expect(made).toBe(0);
    expect([instance.id, instance.id, instance.invocations]).toEqual(["id-1", "id-1", 1]);
  });
});
