import { env } from "cloudflare:workers";
import { types } from "@neondatabase/serverless";
import type { CallbackContext, Database } from "../database/database.ts";
import type { CommonParsers } from "../database/user-types.ts";
import { workerd } from "../decide/runtime.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { overHttp } from "../decide/transport-choice.ts";
import { steadyClock } from "../transports/steady-clock.ts";
import { databaseOn } from "./create.ts";
import { makeHttp } from "./make-http.ts";
import { warn } from "./warn.ts";

export * from "./public.ts";

interface CompatibleProcess {
  getBuiltinModule?(name: "node:async_hooks"): { readonly AsyncLocalStorage: new () => CallbackContext } | undefined;
}

/** With nodejs_compat the runtime has it; asked for by name, so that nothing of Node is in the bundle without. */
function newContext(): CallbackContext | undefined {
  const { process } = globalThis as { readonly process?: CompatibleProcess };
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  return hooks && new hooks.AsyncLocalStorage();
}

const create = databaseOn({
  runtimes: [workerd.name],
  runtime: () => workerd,
  env: () => env,
  available: () => ({ choices: [overHttp], webSocket: true }),
  transports: { http: makeHttp },
  parsers: types as CommonParsers,
  callbacks: newContext(),
  clock: steadyClock,
  random: Math.random,
  warn,
});

/** As in every entry; bindings are read at the first call, never when the module is loaded. */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return create(options);
}
