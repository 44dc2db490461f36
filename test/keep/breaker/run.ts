import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleHandler } from "../../lambda/bundle-handler.ts";
import type { Environment } from "../../lambda/environment.ts";
import { startSandbox } from "../../lambda/sandbox.ts";
import { startService } from "../servers/service.ts";

/** What a breaker refused that the service would have answered. */
export interface BreakerRow {
  readonly fault: string;
  readonly rounds: number;
  readonly keptFailures: number;
  readonly defaultFailures: number;
}

/** Whether the recipe's breaker refused nothing. */
export function breakerHolds({ keptFailures }: BreakerRow): boolean {
  return keptFailures === 0;
}

const PAUSE_MS = 60_000;
/** More than the volume that opens either. */
const FAILING_CALLS = 6;

const failing = (response: ServerResponse) => void response.writeHead(503).end("{}");

/** Lets a service fail, environments freeze, and the service be well again; counts what is refused then. */
export async function runBreaker(rounds: number): Promise<BreakerRow[]> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "warmline-keep-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const service = stack.use(await startService());
  const open = async (name: "kept" | "default") => {
    const handler = await bundleHandler(fileURLToPath(new URL(`./handler-${name}.ts`, import.meta.url)), join(folder, name));
    return stack.use(await startSandbox({ handler, timeoutMs: 20_000, env: { SERVICE_URL: `http://127.0.0.1:${service.port}` } }));
  };
  const sandboxes = { kept: await open("kept"), default: await open("default") };
  const isRefused = async (environment: Environment) => (await environment.invoke({ path: "/stock" })).error !== undefined;

  /** Opened by an outage, frozen for a minute, and the service is well. */
  const afterOutage = async (environment: Environment) => {
    let refused = 0;
    for (let round = 0; round < rounds; round++) {
      service.behave(failing);
      for (let call = 0; call < FAILING_CALLS; call++) await isRefused(environment);
      service.behave(undefined);
      if (!(await isRefused(environment))) throw new Error("The breaker did not open: nothing was proved.");
      await environment.freezeFor({ wallClockMs: PAUSE_MS });
      if (await isRefused(environment)) refused += 1;
    }
    return refused;
  };
  /** The first call of a new environment fails, the second would not. */
  const afterOneFailure = async (name: keyof typeof sandboxes) => {
    const environment = await sandboxes[name].environment();
    service.behave(failing);
    await isRefused(environment);
    service.behave(undefined);
    return (await isRefused(environment)) ? 1 : 0;
  };
  return [
    {
      fault: "opened by an outage, then frozen, and the service is well again",
      rounds,
      keptFailures: await afterOutage(await sandboxes.kept.environment()),
      defaultFailures: await afterOutage(await sandboxes.default.environment()),
    },
    {
      fault: "the first call of an environment fails, the second is answered",
      rounds: 1,
      keptFailures: await afterOneFailure("kept"),
      defaultFailures: await afterOneFailure("default"),
    },
  ];
}
