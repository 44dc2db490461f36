import { env } from "cloudflare:workers";
import type { CallbackContext } from "../database/database.ts";
import { textParsers } from "../database/text-parsers.ts";
import { workerd } from "../decide/runtime.ts";
import { callTracing } from "../observe/trace-calls.ts";
import { steadyClock } from "../transports/steady-clock.ts";
import type { Platform } from "./create.ts";
import { requestScopes } from "./request-scopes.ts";
import { warn } from "./warn.ts";

interface CompatibleProcess {
  getBuiltinModule?(name: "node:async_hooks"): { readonly AsyncLocalStorage: new () => CallbackContext } | undefined;
}

/** With nodejs_compat the runtime has it; asked for by name, so that nothing of Node is in the bundle without. */
function newContext(): CallbackContext | undefined {
  const { process } = globalThis as { readonly process?: CompatibleProcess };
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  return hooks && new hooks.AsyncLocalStorage();
}

/** Workers, without a way to the server. */
export const workerdPlatform: Omit<Platform, "available" | "transports"> = {
  runtimes: [workerd.name],
  runtime: () => workerd,
  env: () => env,
  parsers: textParsers,
  callbacks: newContext(),
  tracing: callTracing,
  scope: (context, work) => requestScopes.run(context, work),
  heldWork: undefined,
  clock: steadyClock,
  random: Math.random,
  warn,
};
