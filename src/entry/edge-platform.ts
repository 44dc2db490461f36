import type { CallbackContext } from "../database/database.ts";
import { textParsers } from "../database/text-parsers.ts";
import { edgeLight } from "../decide/runtime.ts";
import { steadyClock } from "../transports/steady-clock.ts";
import type { Platform } from "./create.ts";
import { warn } from "./warn.ts";

interface EdgeGlobal {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  readonly AsyncLocalStorage?: new () => CallbackContext;
}

const { AsyncLocalStorage } = globalThis as EdgeGlobal;

/** What needs nothing but web standards, without a way to the server. */
export const edgePlatform: Omit<Platform, "available" | "transports"> = {
  runtimes: [edgeLight.name],
  runtime: () => edgeLight,
  env: () => (globalThis as EdgeGlobal).process?.env ?? {},
  parsers: textParsers,
  callbacks: AsyncLocalStorage && new AsyncLocalStorage(),
  heldWork: undefined,
  clock: steadyClock,
  random: Math.random,
  warn,
};
