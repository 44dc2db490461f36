import { Hono } from "hono/tiny";
import { type Database, sql } from "warmline";
import { connectionId, connectionReused } from "../answer-headers.ts";
import { type AppEnv, noted } from "../context.ts";
import type { Instance } from "../instance.ts";

/**
 * `GET /proof`: one invocation that does a small piece of work and says over which connection. The backend's pid travels in the same batch as
 * the work, so it is the pid of the very connection that did it.
 */
export function proofRoutes(db: Database, instance: Instance) {
  return new Hono<AppEnv>().get("/proof", async (c) => {
    const [backend, work] = await db.batch(
      [sql<{ pid: number }>`select pg_backend_pid() as pid`, sql<{ products: number }>`select count(*)::integer as products from products`],
      { readOnly: true },
    );
    const { via } = noted(c, work);
    return c.json({
      instanceId: instance.id,
      invocation: c.get("invocation"),
      transport: via.transport,
      connectionId: connectionId(via),
      connectionReused: connectionReused(via),
      backendPid: backend.rows[0]?.pid,
      products: work.rows[0]?.products,
    });
  });
}
