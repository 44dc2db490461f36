import type { Database } from "../entry/node.ts";

/** The part of Hono's context that is needed; reading it throws where the platform has none. */
export interface HonoContext {
  readonly executionCtx: {
    /** Keeps the request alive until the promise settles. */
    waitUntil(promise: Promise<unknown>): void;
  };
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

/** What else of Hono's context is needed, to answer with a header more. */
export interface AnsweringContext {
  /** Adds a header to the answer. */
  header(name: string, value: string, options: { readonly append: true }): void;
}

/** The calls of one request. */
interface Tally {
  queries: number;
  durationMs: number;
}

interface Storage {
  run<T>(tally: Tally, work: () => T): T;
  getStore(): Tally | undefined;
}

interface MaybeNode {
  readonly AsyncLocalStorage?: new () => Storage;
  readonly process?: { getBuiltinModule?(name: "node:async_hooks"): { readonly AsyncLocalStorage: new () => Storage } | undefined };
}

/**
 * A Hono middleware that tells the browser, in the header `Server-Timing`, how long the request's statements took and how many there were:
 * `db;dur=12.3;desc="3 queries"`. Of those that ran at once the times add up; streams are left out, for their time is their reader's, and so is what is sent when
 * the answer has begun. No statement is told; but whoever asks learns how long the database took, so it is for whom that may be known to. Where
 * the runtime has no AsyncLocalStorage, requests cannot be told apart, and there is no header.
 *
 * @example app.use("/admin/*", serverTiming(db));
 */
export function serverTiming(
  ...databases: readonly Pick<Database, "subscribe">[]
): (c: AnsweringContext, next: () => Promise<void>) => Promise<void> {
  let requests: Storage | null | undefined;
  return async (c, next) => {
    // not while modules are loaded: to find it takes workerd 3 ms of CPU
    if (requests === undefined) requests = tallyRequests(databases);
    if (requests === null) return next();
    const tally: Tally = { queries: 0, durationMs: 0 };
    await requests.run(tally, next);
    const { queries, durationMs } = tally;
    if (queries === 0) return;
    const what = queries === 1 ? "1 query" : `${queries} queries`;
    c.header("Server-Timing", `db;dur=${Number(durationMs.toFixed(1))};desc="${what}"`, { append: true });
  };
}

/** Where the calls of each request are tallied from now on; null where the runtime cannot tell requests apart. */
function tallyRequests(databases: readonly Pick<Database, "subscribe">[]): Storage | null {
  const { AsyncLocalStorage, process } = globalThis as MaybeNode;
  const Local = AsyncLocalStorage ?? process?.getBuiltinModule?.("node:async_hooks")?.AsyncLocalStorage;
  if (Local === undefined) return null;
  const requests = new Local();
  for (const db of databases) {
    db.subscribe((event) => {
      if (event.type !== "query" || !isTimed.test(event.operation)) return;
      const tally = requests.getStore();
      if (tally === undefined) return;
      tally.queries += event.texts.length || 1;
      tally.durationMs += event.durationMs;
    });
  }
  return requests;
}

/** What holds a connection for a callback takes its time as well. */
const isTimed = /^(query|batch|script)$/;
