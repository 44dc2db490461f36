import type { MiddlewareHandler } from "hono";
import type { AppEnv, Via } from "./context.ts";
import type { Instance } from "./instance.ts";

/** What stands where no connection is held, or no database was asked. */
export const NOT_APPLICABLE = "n/a";

/** What keeps browsers careful with answers that are data: by hand, for Hono's middleware weighs ten times as much in a Worker. */
const carefulHeaders = {
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "SAMEORIGIN",
};

/** Puts the proof on every answer, errors included: instance, invocation, connection, and whether that connection had served before. */
export function answerHeaders(instance: Instance): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("invocation", instance.begin());
    await next();
    const via = c.get("via");
    for (const [name, value] of Object.entries(carefulHeaders)) c.header(name, value);
    c.header("X-Instance-Id", instance.id);
    c.header("X-Invocation", String(c.get("invocation")));
    c.header("X-Connection-Id", connectionId(via));
    c.header("X-Connection-Reused", String(connectionReused(via)));
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
  };
}

/** The id of the connection a result came over, `n/a` where none is held. */
export function connectionId(via: Via | undefined): string {
  return via?.connectionId ?? NOT_APPLICABLE;
}

/** Whether that connection had served a call before, `n/a` where none is held. */
export function connectionReused(via: Via | undefined): boolean | typeof NOT_APPLICABLE {
  return via?.reused ?? NOT_APPLICABLE;
}
