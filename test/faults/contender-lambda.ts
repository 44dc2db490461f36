import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleHandler } from "../lambda/bundle-handler.ts";
import type { Environment } from "../lambda/environment.ts";
import { startSandbox } from "../lambda/sandbox.ts";
import type { Contender } from "./contender.ts";
import type { Answer } from "./serve.ts";
import type { FaultEvent } from "./serve-lambda.ts";
import type { SubjectConfig } from "./subject.ts";

/** Longest an invocation may take where nobody says otherwise, milliseconds. */
const TIMEOUT_MS = 30_000;
/** What goes by in the frozen environment between two invocations, milliseconds. */
const PAUSE_MS = 60_000;

interface Started {
  readonly environment: Environment;
  readonly stack: AsyncDisposableStack;
}

/** A client in a Lambda function, frozen between invocations. There is a file `handlers/<name>.ts` for each. */
export function createLambdaContender(name: string): Contender {
  let started: Promise<Started> | undefined;
  let config: SubjectConfig | undefined;
  let environment: Environment | undefined;

  async function start(): Promise<Started> {
    const stack = new AsyncDisposableStack();
    try {
      const folder = await mkdtemp(join(tmpdir(), "warmline-faults-"));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      const handler = await bundleHandler(fileURLToPath(new URL(`handlers/${name}.ts`, import.meta.url)), folder);
      const sandbox = stack.use(await startSandbox({ handler, timeoutMs: TIMEOUT_MS }));
      environment = await sandbox.environment();
      return { environment, stack };
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }
  const ready = () => {
    started ??= start();
    return started;
  };

  return {
    name,
    async open(next) {
      config = next;
      await ready();
    },
    async send(request, limitMs) {
      const { environment } = await ready();
      const event: FaultEvent = { config, request };
      const { error, value } = await environment.invoke<Answer>(event, { deadlineMs: limitMs });
      if (value !== undefined) return { state: "answered", answer: value };
      if (error?.errorType === "Sandbox.Timedout") return { state: "hung" };
      if (error?.errorType.startsWith("Runtime.")) return { state: "died" };
      throw new Error(`The errand broke: ${error?.errorMessage}\n${environment.logs().slice(-2_000)}`);
    },
    async end() {
      await (await started)?.stack.disposeAsync();
      started = undefined;
    },
    async pause(wallClockMs = PAUSE_MS) {
      await (await ready()).environment.freezeFor({ wallClockMs });
    },
    // an unhandled rejection ends the process on Lambda
    count: () => ({ deaths: environment?.deaths.length ?? 0, unhandled: 0 }),
    logs: () => environment?.logs().slice(-2_000) ?? "",
    [Symbol.asyncDispose]: async () => (await started)?.stack.disposeAsync(),
  };
}
