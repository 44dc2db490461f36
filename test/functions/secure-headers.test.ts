import { secureHeaders as honosOwn } from "hono/secure-headers";
import { Hono } from "hono/tiny";
import { describe, expect, it } from "vitest";
import { createDatabase } from "warmline";
import { createTestApp } from "./demo-app.ts";

const app = createTestApp(createDatabase("postgres://nobody@127.0.0.1:1/none"));

describe("an answer's headers", () => {
  it.each(["/health", "/nowhere", "/products/none", "/ready"])("on %s keep browsers to what Hono's own middleware does", async (path) => {
    const norm = await new Hono()
      .use(honosOwn())
      .get("/", (c) => c.body(null))
      .request("/");
    const expected = Object.fromEntries(norm.headers);
    expect(Object.keys(expected).length).toBeGreaterThan(8);
    expect(Object.fromEntries((await app.get(path)).headers)).toMatchObject(expected);
  });
});
