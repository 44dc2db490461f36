import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";
import type { OpenCallback } from "../../../src/database/database.ts";
import { heldWork } from "../../../src/database/held-work.ts";
import { perRequest } from "../../../src/decide/request-choices.ts";
import { workerd } from "../../../src/decide/runtime.ts";
import { checkOptions } from "../../../src/decide/settings.ts";
import { databaseOn, type Platform } from "../../../src/entry/create.ts";
import { makeRequest } from "../../../src/entry/make-request.ts";
import { requestPool } from "../../../src/entry/make-request-pool.ts";
import type { Database } from "../../../src/entry/node.ts";
import type { WarmPoolOptions } from "../../../src/entry/pool-options.ts";
import { readRequestPoolOptions } from "../../../src/entry/request-pool-options.ts";
import { processClock, processRandom } from "../../../src/transports/pool/process-clock.ts";
import type { SharedPool } from "../../../src/transports/pool/shared-pool.ts";
import { type RequestScope, runInScope } from "../../../src/transports/request/request-scope.ts";

const scopes = new AsyncLocalStorage<RequestScope>();

/** What `hyperdrive()` makes of a worker's platform, over Node's sockets: it can only be loaded there. */
const platformWith = (waitUntil: (promise: Promise<unknown>) => void): Platform => ({
  runtimes: [workerd.name],
  runtime: () => workerd,
  env: () => process.env,
  available: () => ({ choices: [perRequest], webSocket: false }),
  transports: {
    request: (input) =>
      makeRequest(input, {
        scopes,
        waitUntil,
        uncached: () => {
          throw new Error("Nothing is cached here.");
        },
        onUnscoped: () => {},
      }),
  },
  parsers: pg.types,
  heldWork: () => heldWork,
  callbacks: new AsyncLocalStorage<OpenCallback>(),
  scope: (context, work) => runInScope(scopes, context, work),
  clock: processClock,
  random: processRandom,
  warn: () => {},
});

const platform = platformWith(() => {});

/** `createDatabase` with the transport for Workers. */
export const createRequestDatabase = databaseOn(platform);

/** The same, whose calls outside of a request keep the one they are made in alive by `waitUntil`. */
export const createRequestDatabaseWith = (waitUntil: (promise: Promise<unknown>) => void): typeof createRequestDatabase =>
  databaseOn(platformWith(waitUntil));

/** `sharedPool` as in Workers. */
export function createRequestPool(options: WarmPoolOptions | string): SharedPool {
  const { settings, ...given } = readRequestPoolOptions(options);
  return requestPool(platform, checkOptions(settings, platform.runtimes), given);
}

/** Runs work as one request of a worker, whose connections end with it; resolves when the work is done and they have ended. */
export async function runRequest<T>(database: Pick<Database, "scope">, work: () => Promise<T>): Promise<T> {
  const ending: Promise<unknown>[] = [];
  try {
    return await database.scope({ waitUntil: (promise) => void ending.push(promise) }, work);
  } finally {
    await Promise.allSettled(ending);
  }
}
