import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { DatabaseOptions } from "../../src/entry/node.ts";
import { openDirect } from "../core/databases.ts";
import { bundleHandler } from "./bundle-handler.ts";
import type { Environment } from "./environment.ts";
import type { WarmErrand, WarmOptions, WarmReply } from "./handlers/warm.ts";
import type { InvokeOptions } from "./invocation.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "./sandbox.ts";

/** A function with a database of warmline's, which names itself at the server. */
export interface WarmFunction extends Sandbox {
  /** Backends that serve this function now, as the server counts them. */
  backends(): Promise<number>;
  /** Those of them that run a statement. */
  working(): Promise<number>;
}

/** What makes one function different from another. */
export interface WarmFunctionOptions extends Omit<SandboxOptions, "handler"> {
  /** The handler's DATABASE_URL; without one it has none. */
  readonly url?: string;
  readonly database?: DatabaseOptions;
  readonly closes?: WarmOptions["closes"];
  readonly clockOffMs?: number;
  readonly emfNamespace?: string;
}

/** Bundles handlers/warm.ts for a file of tests; the function it gives deploys it, until the end of a test. */
export function useWarmHandler(): (options: WarmFunctionOptions) => Promise<WarmFunction> {
  let folder: string;
  let handler: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "warmline-handlers-"));
    handler = await bundleHandler(fileURLToPath(new URL("./handlers/warm.ts", import.meta.url)), folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  return async ({ url, database, closes, clockOffMs, emfNamespace, env: own, ...options }) => {
    const PGAPPNAME = `warm ${randomUUID()}`;
    const HANDLER_OPTIONS = JSON.stringify({ database, closes, clockOffMs, emfNamespace });
    const env = { ...own, PGAPPNAME, HANDLER_OPTIONS, ...(url !== undefined && { DATABASE_URL: url }) };
    const sandbox = await startSandbox({ timeoutMs: 60_000, ...options, handler, env });
    onTestFinished(sandbox.stop);
    const count = async (states: readonly string[]) => {
      await using direct = await openDirect();
      const text = "select from pg_stat_activity where application_name = $1 and (state = any($2) or $2 = '{}')";
      return (await direct.query(text, [PGAPPNAME, states])).rowCount ?? Number.NaN;
    };
    return { ...sandbox, backends: () => count([]), working: () => count(["active"]) };
  };
}

/** What the handler answers. Rejects when the invocation failed. */
export async function ask(environment: Environment, errand: WarmErrand, options?: InvokeOptions): Promise<WarmReply> {
  const { value, error } = await environment.invoke<WarmReply>(errand, options);
  if (value === undefined) throw new Error(`${error?.errorType}: ${error?.errorMessage}`);
  return value;
}
