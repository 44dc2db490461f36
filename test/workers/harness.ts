import { join } from "node:path";
import { Client } from "pg";
import { createTestHarness, type TestHarness } from "wrangler";
import { buildWorker } from "../support/worker/artefact.ts";
import type { WorkerBindings } from "../support/worker/runtime.ts";

/** A worker under wrangler's own test harness, in real workerd. */
export interface RunningWorker {
  readonly url: URL;
  readonly harness: TestHarness;
  stop(): Promise<void>;
}

/** What a worker is given here. */
interface HarnessBindings extends WorkerBindings {
  /** More of wrangler's configuration. */
  readonly config?: object;
}

/** Bundles a worker of this folder as it would be deployed, and starts it. */
export async function startWorker(
  file: string,
  { hyperdrive = {}, vars = {}, flags = [], config = {} }: HarnessBindings,
): Promise<RunningWorker> {
  const artefact = await buildWorker(`test/workers/${file}`, flags);
  const harness = createTestHarness({
    root: artefact.folder,
    workers: [
      {
        config: {
          ...config,
          name: "warmline-test",
          main: join(artefact.folder, artefact.file),
          no_bundle: true,
          compatibility_date: "2026-10-01",
          compatibility_flags: [...flags],
          vars: { ...vars },
          hyperdrive: Object.entries(hyperdrive).map(([binding, localConnectionString]) => ({
            binding,
            id: "0123456789abcdef0123456789abcdef",
            localConnectionString,
          })),
        },
      },
    ],
  });
  const stop = async () => {
    await harness.close();
    await artefact[Symbol.asyncDispose]();
  };
  try {
    const { url } = await harness.listen();
    return { url, harness, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Counts the backends of an application, and asks again until there are none or `withinMs` is over. */
export async function backendsLeft(databaseUrl: string, withinMs = 20_000): Promise<number> {
  const client = new Client({ connectionString: databaseUrl, application_name: "watcher" });
  await client.connect();
  try {
    const until = Date.now() + withinMs;
    for (;;) {
      const { rows } = await client.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where application_name = 'warmline' and datname = current_database()",
      );
      const left = rows[0]?.n ?? 0;
      if (left === 0 || Date.now() > until) return left;
    }
  } finally {
    await client.end();
  }
}
