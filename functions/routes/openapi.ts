import { Hono } from "hono/tiny";
import type { AppEnv } from "../context.ts";

/** `GET /openapi.json`: the description of all routes, this one included. */
export function openapiRoutes() {
  // loaded when it is asked for: few instances ever are
  return new Hono<AppEnv>().get("/openapi.json", async (c) => c.json((await import("../openapi.ts")).openapi));
}
