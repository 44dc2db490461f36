import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createDatabase } from "warmline";
import { answerOf, serviceTables } from "../../test/orm/at-module-scope.ts";
import type { PostgresServer } from "../../test/support/postgres/server.ts";
import { type BundleOptions, bundleProgram } from "./bundle.ts";
import type { Line } from "./judge.ts";
import { AT_ONCE, REQUESTS, sendRequests } from "./send.ts";
import { openWorker } from "./worker.ts";

/** Sends requests to a worker that has an ORM at module scope, over Hyperdrive: each has to be answered, and a second later nothing may be left. */
export async function loadWorker(
  name: string,
  options: Omit<BundleOptions, "outfile"> & { readonly folder: string },
  server: PostgresServer,
): Promise<Line> {
  const begun = Date.now();
  const database = `load_${randomUUID().replaceAll("-", "")}`;
  await using admin = createDatabase(server.url());
  await admin.query(`create database ${database}`);
  const url = server.url(database);
  await using tables = createDatabase(url);
  await tables.script(serviceTables);
  await tables.release();
  const outfile = join(options.folder, `${name}.mjs`);
  await bundleProgram("workerd at module scope", { ...options, outfile });
  const problems: string[] = [];
  const timesMs: number[] = [];
  const worker = await openWorker(outfile, { hyperdrives: { HYPERDRIVE: url }, flags: ["nodejs_compat"] });
  try {
    await sendRequests(() => {
      const id = randomUUID();
      const startMs = performance.now();
      return {
        url: new URL(id, worker.url),
        answered(text) {
          timesMs.push(performance.now() - startMs);
          if (text !== `200 ${JSON.stringify(answerOf(id))}`) problems.push(text);
        },
      };
    });
    await delay(1_000);
    const { rows } = await admin.query("select count(*)::int as n from pg_stat_activity where datname = $1", [database]);
    if (rows[0]?.n !== 0) problems.push(`${rows[0]?.n} backends were left after a second.`);
  } finally {
    await worker.stop();
  }
  const sorted = timesMs.toSorted((one, other) => one - other);
  const at = (percent: number) => Math.round(sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN);
  return {
    orm: name,
    way: `${REQUESTS} requests, ${AT_ONCE} at once, p50 ${at(50)} ms, p99 ${at(99)} ms`,
    checks: [],
    problems,
    ms: Date.now() - begun,
  };
}
