import { Hono } from "hono";
import { expect, test } from "vitest";
import { serverTiming } from "../../src/adapters/hono.ts";
import { sql } from "../../src/entry/node.ts";
import { openPool } from "../core/databases.ts";

const timing = /^db;dur=(\d+(?:\.\d)?);desc="(.*)"$/;

/** What the browser is told of a request. */
async function told(app: Hono, path: string): Promise<readonly [ms: number, queries: string] | null> {
  const header = (await app.request(path)).headers.get("server-timing");
  const [, ms, queries = ""] = timing.exec(header ?? "") ?? [];
  return header === null ? null : [Number(ms), queries];
}

test("tells a request's statements and their time, and of no other request's", async () => {
  await using db = openPool({ max: 4 });
  await using other = openPool();
  const app = new Hono();
  app.use(serverTiming(db, other));
  app.get("/none", (c) => c.text("none"));
  app.get("/one", async (c) => c.json(await db.sql`select pg_sleep(0.02)`));
  app.get("/some", async (c) => {
    await db.transaction(async (tx) => {
      await tx.query("select 1");
      await tx.batch([sql`select 2`, sql`select 3`]);
    });
    await other.query("select 4");
    return c.text("some");
  });
  app.get("/failing", async (c) => {
    await db.query("select 1 / 0").catch(() => {});
    return c.text("failing");
  });
  const [none, one, some, failing] = await Promise.all(["/none", "/one", "/some", "/failing"].map((path) => told(app, path)));
  expect([none, one?.[1], some?.[1], failing?.[1]]).toEqual([null, "1 query", "4 queries", "1 query"]);
  expect(one?.[0]).toBeGreaterThanOrEqual(20);
});

test("keeps what others tell, and answers that cannot be changed", async () => {
  await using db = openPool();
  const app = new Hono();
  app.use(serverTiming(db));
  app.get("/", async () => {
    await db.query("select 1");
    const response = new Response("from elsewhere", { headers: { "Server-Timing": "cache;desc=miss" } });
    Object.defineProperty(response.headers, "append", {
      value() {
        throw new TypeError("immutable");
      },
    });
    return response;
  });
  expect((await app.request("/")).headers.get("server-timing")).toMatch(/^cache;desc=miss, db;dur=/);
});
