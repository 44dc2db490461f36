import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { bundleHandler } from "../bundle-handler.ts";
import type { Environment } from "../environment.ts";
import { type Network, startNetwork } from "../network.ts";
import { startSandbox } from "../sandbox.ts";

/** What a handler is asked to write. */
export interface RoundEvent {
  /** Unlike that of any other invocation, so that a write that is lost or doubled shows in the table. */
  readonly id: string;
}

/** What it answers: the backend that did the work. */
export interface RoundReply {
  readonly pid: number;
}

/** Whose pool the handler uses. */
export type ContenderName = "warmline" | "bare";

/** A function in an execution environment of its own, with a network of its own before the database. */
export interface Contender extends AsyncDisposable {
  readonly name: ContenderName;
  readonly environment: Environment;
  readonly network: Network;
}

/** How a contender is started. */
export interface ContenderOptions {
  readonly server: PostgresServer;
  /** What the function may take, milliseconds. */
  readonly timeoutMs: number;
}

/** Bundles the contender's handler as it would be deployed, and opens an environment for it. */
export async function startContender(name: ContenderName, { server, timeoutMs }: ContenderOptions): Promise<Contender> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = await mkdtemp(join(tmpdir(), "warmline-faults-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const handler = await bundleHandler(fileURLToPath(new URL(`./handler-${name}.ts`, import.meta.url)), folder);
    const network = stack.use(await startNetwork(server));
    const url = new URL(server.url());
    url.port = String(network.port);
    const sandbox = stack.use(await startSandbox({ handler, timeoutMs, env: { DATABASE_URL: url.href } }));
    const environment = await sandbox.environment();
    return { name, environment, network, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
