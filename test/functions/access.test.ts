import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDemoDatabase, createTestApp, type DemoDatabase, orderOf } from "./demo-app.ts";

let demo: DemoDatabase;
beforeAll(async () => {
  demo = await createDemoDatabase();
});
afterAll(() => demo?.stop());

const token = "t0ken-of-the-test";
const sha256 = (text: string) => createHash("sha256").update(text).digest();

describe("with a token", () => {
  it.each([
    ["no header", undefined],
    ["an empty header", ""],
    ["another token", "Bearer another"],
    ["the beginning of the token", `Bearer ${token.slice(0, -1)}`],
    ["more than the token", `Bearer ${token}x`],
    ["the token in capitals", `Bearer ${token.toUpperCase()}`],
    ["another scheme", `Basic ${token}`],
    ["the token without a scheme", token],
    ["two tokens", `Bearer ${token} ${token}`],
  ])("%s opens neither writes nor statistics", async (_title, authorization) => {
    const app = createTestApp(demo.db, { token });
    const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
    for (const answer of [await app.order("no-entry", orderOf(1), headers), await app.get("/stats", headers)]) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get("WWW-Authenticate")).toBe("Bearer");
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({ error: { code: "UNAUTHORIZED" } });
      expect(text).not.toContain(token);
    }
    expect(await demo.ask("select 1 from orders where idempotency_key = 'no-entry'")).toEqual([]);
  });

  it("a token whose digest agrees in its first or last byte opens nothing", async () => {
    const app = createTestApp(demo.db, { token });
    const wanted = sha256(token);
    for (const place of [0, 31]) {
      let candidate = 0;
      while (sha256(`token-${candidate}`)[place] !== wanted[place]) candidate += 1;
      expect((await app.get("/stats", { Authorization: `Bearer token-${candidate}` })).status).toBe(401);
    }
  });

  it.each(["Bearer", "bearer"])("the token opens both, scheme written %s", async (scheme) => {
    const app = createTestApp(demo.db, { token, platform: "hosted" });
    const headers = { Authorization: `${scheme} ${token}` };
    expect((await app.order(`entry-${scheme}`, orderOf(1), headers)).status).toBe(201);
    expect((await app.get("/stats", headers)).status).toBe(200);
  });

  it("reading asks for none", async () => {
    const app = createTestApp(demo.db, { token, platform: "hosted" });
    for (const path of ["/health", "/ready", "/products", "/products/1", "/proof", "/openapi.json"]) {
      expect((await app.get(path)).status, path).toBe(200);
    }
  });

  it("asks for it before it reads the body", async () => {
    const app = createTestApp(demo.db, { token });
    expect((await app.order("unread", "{", {})).status).toBe(401);
  });
});

describe("without a token", () => {
  it.each([undefined, ""])("a hosted platform closes writes and statistics, and says why (token %j)", async (none) => {
    const app = createTestApp(demo.db, { platform: "hosted", token: none });
    for (const answer of [await app.order("closed", orderOf(1), { Authorization: "Bearer " }), await app.get("/stats")]) {
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ error: { code: "NO_TOKEN_CONFIGURED", message: expect.stringContaining("API_TOKEN") } });
    }
    expect((await app.get("/products")).status).toBe(200);
  });

  it("a Node process leaves them open", async () => {
    const app = createTestApp(demo.db);
    expect((await app.order("open", orderOf(1))).status).toBe(201);
    expect((await app.get("/stats")).status).toBe(200);
  });
});
