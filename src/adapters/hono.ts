import type { Database } from "../entry/node.ts";

/** The part of Hono's context that is needed; reading it throws where the platform has none. */
interface HonoContext {
  readonly executionCtx: { waitUntil(promise: Promise<unknown>): void };
}

/**
 * A Hono middleware that makes every request a scope: its calls share connections, and those end with it. One is enough for all databases,
 * and a `sharedPool` has a scope, too. On a platform without an execution context it does nothing.
 *
 * @example app.use(requestScope(db));
 */
export function requestScope(db: Pick<Database, "scope">): (c: HonoContext, next: () => Promise<void>) => Promise<void> {
  return (c, next) => {
    const context = contextOf(c);
    return context === undefined ? next() : db.scope(context, next);
  };
}

function contextOf(c: HonoContext): HonoContext["executionCtx"] | undefined {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}
