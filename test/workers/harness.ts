import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { createTestHarness, type TestHarness } from "wrangler";

/** A worker under wrangler's own test harness, in real workerd. */
export interface RunningWorker {
  readonly url: URL;
  readonly harness: TestHarness;
  stop(): Promise<void>;
}

/** Bundles and starts a worker of this folder. `hyperdrive` maps bindings to what they connect to. */
export async function startWorker(
  file: string,
  {
    hyperdrive = {},
    vars = {},
  }: { readonly hyperdrive?: Readonly<Record<string, string>>; readonly vars?: Readonly<Record<string, string>> },
): Promise<RunningWorker> {
  const harness = createTestHarness({
    root: fileURLToPath(new URL("../../", import.meta.url)),
    workers: [
      {
        config: {
          name: "warmline-test",
          main: `test/workers/${file}`,
          compatibility_date: "2026-10-01",
          // without paths: the package is found as its users find it, built
          tsconfig: "tsconfig.build.json",
          vars,
          hyperdrive: Object.entries(hyperdrive).map(([binding, localConnectionString]) => ({
            binding,
            id: "0123456789abcdef0123456789abcdef",
            localConnectionString,
          })),
        },
      },
    ],
  });
  const { url } = await harness.listen();
  return { url, harness, stop: () => harness.close() };
}

/** Counts the backends of an application, and asks again until there are none or `withinMs` is over. */
export async function backendsLeft(databaseUrl: string, withinMs = 1_000): Promise<number> {
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
