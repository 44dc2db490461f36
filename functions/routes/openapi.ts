import { Hono } from "hono/tiny";
import type { AppEnv } from "../context.ts";
import type { Modules } from "../modules.ts";

/** `GET /openapi.json`: the description of all routes, this one included. */
export function openapiRoutes({ openapi }: Modules) {
  return new Hono<AppEnv>().get("/openapi.json", async (c) => c.json(await openapi()));
}
