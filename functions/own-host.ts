import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import { isFromThisMachine } from "warmline/endpoint";
import { Problem } from "./problem.ts";

/**
 * Lets through what was sent to this machine by a name of its own, as the local endpoint does, and answers 403 to the rest. Without a token
 * nothing else stands between an order and a page whose name was made to lead here (DNS rebinding).
 */
export const ownHostOnly: MiddlewareHandler<{ Bindings: HttpBindings }> = async (c, next) => {
  if (!isFromThisMachine(c.env.incoming)) {
    throw new Problem(
      403,
      "FOREIGN_HOST",
      "Without an API_TOKEN this server answers to names of this machine, such as localhost, and to pages on them. Set one to open it to others.",
    );
  }
  await next();
};
