import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";
import type { OpenCallback } from "../../../src/database/database.ts";
import { perRequest } from "../../../src/decide/request-choices.ts";
import { workerd } from "../../../src/decide/runtime.ts";
import { databaseOn } from "../../../src/entry/create.ts";
import { makeRequest } from "../../../src/entry/make-request.ts";
import type { Database } from "../../../src/entry/node.ts";
import { type RequestScope, runInScope } from "../../../src/transports/request/request-scope.ts";

const scopes = new AsyncLocalStorage<RequestScope>();

/** `createDatabase` with the transport for Workers, over Node's sockets: `hyperdrive()` itself can only be loaded there. */
export const createRequestDatabase = databaseOn({
  runtimes: [workerd.name],
  runtime: () => workerd,
  env: () => process.env,
  available: () => ({ choices: [perRequest], webSocket: false }),
  transports: {
    request: (input) =>
      makeRequest(input, {
        scopes,
        waitUntil: () => {},
        uncached: () => {
          throw new Error("Nothing is cached here.");
        },
        onUnscoped: () => {},
      }),
  },
  parsers: pg.types,
  callbacks: new AsyncLocalStorage<OpenCallback>(),
  scope: (context, work) => runInScope(scopes, context, work),
  warn: () => {},
});

/** Runs work as one request of a worker, whose connections end with it; resolves when the work is done and they have ended. */
export async function runRequest<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const ending: Promise<unknown>[] = [];
  try {
    return await database.scope({ waitUntil: (promise) => void ending.push(promise) }, work);
  } finally {
    await Promise.allSettled(ending);
  }
}
