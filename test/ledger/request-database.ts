import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";
import type { Database, OpenTransaction } from "../../src/database/database.ts";
import { perRequest } from "../../src/decide/request-ways.ts";
import { workerd } from "../../src/decide/runtime.ts";
import type { DatabaseOptions } from "../../src/decide/settings.ts";
import { databaseOn } from "../../src/entry/create.ts";
import { makeRequest } from "../../src/entry/request-parts.ts";
import { type RequestScope, runInScope } from "../../src/transports/request/request-scope.ts";

const scopes = new AsyncLocalStorage<RequestScope>();
const background = new Set<Promise<unknown>>();

const create = databaseOn({
  runtimes: [workerd.name],
  runtime: () => workerd,
  env: () => ({}),
  available: () => ({ ways: [perRequest], webSocket: false }),
  transports: {
    request: (input) =>
      makeRequest(input, {
        scopes,
        waitUntil: keep,
        uncached() {
          throw new Error("There is no cache here.");
        },
        onUnscoped() {},
      }),
  },
  parsers: pg.types,
  transactions: new AsyncLocalStorage<OpenTransaction>(),
  scope: (context, work) => runInScope(scopes, context, work),
  warn() {},
});

/** The request transport's own code, on Node's sockets in place of workerd's: a connection belongs to one `scope`, and ends with it. */
export function createRequestDatabase(options: DatabaseOptions): Database {
  return create(options);
}

/** Runs `work` as one request. */
export function asRequest<T>(db: Database, work: () => Promise<T>): Promise<T> {
  return db.scope({ waitUntil: keep }, work);
}

/** Resolves when what outlived its request has ended. */
export async function requestsEnded(): Promise<void> {
  while (background.size > 0) await Promise.all(background);
}

function keep(promise: Promise<unknown>): void {
  const settled = promise.then(
    () => {},
    () => {},
  );
  background.add(settled);
  void settled.finally(() => background.delete(settled));
}
