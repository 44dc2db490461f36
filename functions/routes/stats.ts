import { Hono } from "hono/tiny";
import type { Database } from "warmline";
import type { AppEnv } from "../context.ts";
import type { Instance } from "../instance.ts";

/** `GET /stats`: this instance, what was decided for its connections and why, and what they have done so far. */
export function statsRoutes(db: Database, instance: Instance) {
  return new Hono<AppEnv>().get("/stats", (c) =>
    c.json({ instanceId: instance.id, invocations: instance.invocations, plan: db.plan, stats: db.stats() }),
  );
}
