import { Hono } from "hono/tiny";
import { type Database, sql } from "warmline";
import { RETRY_AFTER_SECONDS } from "../answer-error.ts";
import { type AppEnv, noted } from "../context.ts";
import { Problem } from "../problem.ts";

/** `GET /health`, which asks nobody, and `GET /ready`, which is 503 unless the database answers within `readyDeadlineMs`. */
export function healthRoutes(db: Database, readyDeadlineMs: number) {
  return new Hono<AppEnv>()
    .get("/health", (c) => c.json({ status: "ok" }))
    .get("/ready", async (c) => {
      try {
        noted(c, await db.query(sql`select 1`, { idempotent: true, deadlineMs: readyDeadlineMs }));
      } catch (cause) {
        const headers = { "Retry-After": String(RETRY_AFTER_SECONDS) };
        throw new Problem(503, "NOT_READY", "The database does not answer in time.", { headers, cause });
      }
      return c.json({ status: "ready" });
    });
}
