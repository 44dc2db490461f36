import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createDatabase } from "warmline";
import { answerOf, serviceTables } from "../../test/orm/at-module-scope.ts";
import type { PostgresServer } from "../../test/support/postgres/server.ts";
import { type BundleOptions, bundleProgram } from "./bundle.ts";
import type { Line } from "./judge.ts";
import { openWorker } from "./worker.ts";

/** Requests to one worker, and how many of them are on their way at a time. */
const REQUESTS = 1_000;
const AT_ONCE = 50;
/** After which a request counts as hanging, milliseconds; longer than any takes on a busy machine. */
const HANGS_AFTER_MS = 60_000;

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
    let sent = 0;
    const callOnAndOn = async () => {
      while (sent++ < REQUESTS) {
        const id = randomUUID();
        const startMs = performance.now();
        const answer = await ask(new URL(id, worker.url));
        timesMs.push(performance.now() - startMs);
        if (answer !== JSON.stringify(answerOf(id))) problems.push(answer);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, callOnAndOn));
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

/** Never rejects. */
async function ask(url: URL): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HANGS_AFTER_MS) });
    return await response.text();
  } catch (error) {
    return String(error);
  }
}
