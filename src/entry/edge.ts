import { types } from "@neondatabase/serverless";
import type { CallbackContext, Database } from "../database/database.ts";
import type { CommonParsers } from "../database/user-types.ts";
import { edgeLight } from "../decide/runtime.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { overHttp } from "../decide/transport-choice.ts";
import { steadyClock } from "../transports/steady-clock.ts";
import { databaseOn } from "./create.ts";
import { makeHttp } from "./make-http.ts";
import { warn } from "./warn.ts";

export * from "./public.ts";

interface EdgeGlobal {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  readonly AsyncLocalStorage?: new () => CallbackContext;
}

const { AsyncLocalStorage } = globalThis as EdgeGlobal;

const create = databaseOn({
  runtimes: [edgeLight.name],
  runtime: () => edgeLight,
  env: () => (globalThis as EdgeGlobal).process?.env ?? {},
  available: () => ({ choices: [overHttp], webSocket: typeof WebSocket === "function" }),
  transports: { http: makeHttp },
  parsers: types as CommonParsers,
  callbacks: AsyncLocalStorage && new AsyncLocalStorage(),
  clock: steadyClock,
  random: Math.random,
  warn,
});

/** As in every entry; this one needs nothing but `fetch`, and a WebSocket for sessions. */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return create(options);
}
