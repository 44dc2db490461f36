import { Hono } from "hono/tiny";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createDatabase } from "warmline";
import type { LivePicture } from "../../functions/page/live.ts";
import type { Proof } from "../../functions/page/overview.ts";
import { createDemoDatabase, createTestApp, type DemoDatabase } from "./demo-app.ts";

let demo: DemoDatabase;
beforeAll(async () => {
  demo = await createDemoDatabase();
});
afterAll(() => demo?.stop());

const browser = { Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
/** A database that is not there, with a breaker of its own. */
const nobody = (name: string) => createDatabase({ url: "postgres://nobody:canary-3k@127.0.0.1:1/none", name });

describe("GET /", () => {
  it("is a page for a browser, which loads nothing, and leads to every route that can be followed", async () => {
    const answer = await createTestApp(demo.db).get("/", browser);
    const page = await answer.text();
    expect([answer.status, answer.headers.get("Content-Type"), answer.headers.get("Vary")]).toEqual([
      200,
      "text/html; charset=UTF-8",
      "Accept",
    ]);
    expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(answer.headers.get("X-Connection-Reused")).toBe("true");
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).toContain('name="viewport"');
    for (const path of ["/health", "/ready", "/products", "/proof", "/stats", "/openapi.json"])
      expect(page).toContain(`<a href="${path}">`);
    expect(page).toContain("curl -s http://localhost/proof");
    expect(page).not.toMatch(/<script|http-equiv|undefined|\[object/);
  });

  it("is JSON for who asks for it, with what the server counts of this database", async () => {
    const answer = await createTestApp(demo.db).get("/", { Accept: "application/json" });
    const [row] = await demo.ask("select sessions::float8 as sessions from pg_stat_database where datname = current_database()");
    const { database, ...shown } = (await answer.json()) as { readonly database: Record<string, unknown> };
    expect(database).toMatchObject({ connectionReused: true, backendPid: expect.any(Number), sessions: row?.sessions });
    // the application's and the test's own
    expect(database.open).toBe(2);
    expect(shown).toMatchObject({ runtime: "node", transport: "pool", stats: { transport: "pool" }, proof: null });
  });

  it("is text for a terminal", async () => {
    const answer = await createTestApp(demo.db).get("/", { Accept: "*/*" });
    expect(answer.headers.get("Content-Type")).toMatch(/^text\/plain/);
    const text = await answer.text();
    expect(text).toMatch(/^transport +pool: .+, on node$/m);
    expect(text).toMatch(/^POST +\/orders +Reserves/m);
    expect(text).not.toMatch(/undefined|\[object/);
  });

  it("shows the numbers of this process only where they are open", async () => {
    for (const options of [{ token: "t0ken" }, { platform: "hosted" }] as const) {
      const app = createTestApp(demo.db, options);
      expect(await (await app.get("/", { Accept: "application/json" })).json()).toMatchObject({ stats: null });
      expect(await (await app.get("/", browser)).text()).toContain("Bearer &lt;API_TOKEN&gt;");
      expect(await (await app.get("/")).text()).toContain("with the API token");
    }
  });

  it("is there without the database, says so, and tells the log why", async () => {
    const app = createTestApp(nobody("page"), { readyDeadlineMs: 200 });
    const answer = await app.get("/", browser);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("The database does not answer.");
    expect(await (await app.get("/")).text()).toContain("the database does not answer");
    expect(app.faults).toMatchObject([{ path: "/", error: { code: "CONNECT_FAILED" } }, { path: "/" }]);
  });

  it("is a page around a picture for a browser where one is given, whose buttons are guarded as every write is; text stays text", async () => {
    const pressed: string[] = [];
    const live: LivePicture = {
      routes: new Hono().post("/strike", (c) => c.text(String(pressed.push(c.req.path)))),
      page: async ({ below }) => ({ html: `picture ${below}`, contentSecurityPolicy: "default-src 'self'" }),
    };
    const app = createTestApp(demo.db, { live });
    const answer = await app.get("/", browser);
    expect([await answer.text(), answer.headers.get("Content-Security-Policy")]).toEqual([
      expect.stringMatching(/^picture .*<a href="\/health">/s),
      "default-src 'self'",
    ]);
    expect((await app.get("/")).headers.get("Content-Type")).toMatch(/^text\/plain/);
    expect((await app.request("/live/strike", { method: "POST" })).status).toBe(200);
    for (const options of [{ token: "t0ken" }, { platform: "hosted" }] as const) {
      const guarded = createTestApp(demo.db, { live, ...options });
      expect([401, 403]).toContain((await guarded.request("/live/strike", { method: "POST" })).status);
    }
    expect(pressed).toHaveLength(1);
  });

  const row = { runtime: "lambda", invocations: 1_000, serverSessions: 1, failures: 0, held: true };
  const rows = [
    { ...row, transport: "direct" },
    { ...row, transport: "bare <pg>", serverSessions: 1_000, failures: 7, held: null },
  ];

  it("shows sessions per transport, as wide as they are many, and asks anew while they are counted", async () => {
    const shown = async (proof: Proof, accept = browser) =>
      await (await createTestApp(demo.db, { proof: () => proof }).get("/", accept)).text();
    const page = await shown({ rows, isRunning: false });
    expect(page).toMatch(/class="own">\s+<th scope="row">warmline, direct.+\s+.+width="0\.1%".+<b>1<\/b>/);
    expect(page).toMatch(/class="bare">\s+<th scope="row">bare &lt;pg&gt;.+\s+.+width="100%".+<b>1,000<\/b>.+\s+.+class="failures">7</);
    expect(page).not.toContain("http-equiv");
    expect(await shown({ rows: [], isRunning: true })).toContain('<meta http-equiv="refresh"');
    expect(await shown({ rows, isRunning: true }, { Accept: "*/*" })).toMatch(
      /sessions: 1000, failures: 7, of 1000 invocations\n.*running/,
    );
  });
});

it("a line of the log carries the error's code and fate, and its statement without values", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  try {
    await demo.ask("alter table products rename to goods");
    const app = createTestApp(demo.db, { onFault: undefined });
    expect((await app.get("/products/7")).status).toBe(500);
    expect((await createTestApp(nobody("log"), { onFault: undefined }).get("/products/7")).status).toBe(503);
    const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)));
    expect(lines).toMatchObject([
      {
        level: "error",
        path: "/products/7",
        name: "DatabaseError",
        code: "42P01",
        fate: "refused",
        statement: expect.stringContaining("= $1"),
      },
      { level: "error", name: "ConnectionError", code: "CONNECT_FAILED", fate: "not-sent", retryable: true },
    ]);
    expect(lines[0].stack).toContain("products.ts:");
    expect(JSON.stringify(lines)).not.toContain("canary-3k");
  } finally {
    log.mockRestore();
    await demo.ask("alter table goods rename to products");
  }
});
