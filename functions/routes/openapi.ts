import { Hono } from "hono/tiny";
import type { AppEnv } from "../context.ts";
import { openapi } from "../openapi.ts";

/** `GET /openapi.json`: the description of all routes, this one included. */
export function openapiRoutes() {
  return new Hono<AppEnv>().get("/openapi.json", (c) => c.json(openapi));
}
