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

/** Made for the first callback, for before it nothing is inside of one: to read `process` takes workerd 3 ms of CPU, which no start needs. */
let context: CallbackContext | undefined;

const callbacks: CallbackContext = {
  getStore: () => context?.getStore(),
  run(store, work) {
    context ??= newContext();
    return context ? context.run(store, work) : work();
  },
};

/** Workers, without a way to the server. */
export const workerdPlatform: Omit<Platform, "available" | "transports"> = {
  runtimes: [workerd.name],
  runtime: () => workerd,
  env: () => env,
  parsers: textParsers,
  callbacks,
  tracing: callTracing,
  scope: (context, work) => requestScopes.run(context, work),
  heldWork: undefined,
  clock: steadyClock,
  random: Math.random,
  warn,
};
