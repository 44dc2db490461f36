import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { createDatabase, type Database } from "warmline";
import type { Outcome } from "../../test/orm/orm.ts";
import { type OtherPlace, poolNames } from "../../test/orm/others/other.ts";
import type { PostgresServer } from "../../test/support/postgres/server.ts";
import { judgeOutcome, type Line } from "./judge.ts";

/** What else takes a pool of pg's: each is a file in `test/orm/others`. */
export const others = [
  "typeorm",
  "knex",
  "mikro-orm",
  "graphile-worker",
  "pg-boss",
  "better-auth",
  "auth-js",
  "cursor",
  "query-stream",
  "copy-streams",
] as const;

/** How long one may take, milliseconds; ten times what it takes on a quiet machine. */
const RUN_LIMIT_MS = 60_000;

/** What is at the server after that is left for good, milliseconds. */
const ENDED_WITHIN_MS = 5_000;

/** Fewer checks are no real work. */
const LEAST_CHECKS = 3;

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs one over each kind of pool, in a process and a database of its own. What it leaves at the server, or at work, is a problem. */
export async function runOther(
  name: string,
  server: PostgresServer,
  tools: string,
  report: (line: Line) => void,
): Promise<readonly Line[]> {
  // beside the tools' node_modules: from there every package is found, pg among them once for all
  const bundle = join(tools, `../${name}.${process.pid}.mjs`);
  const lines: Line[] = [];
  try {
    await bundleOther(name, bundle);
    for (const pool of poolNames) {
      const begun = Date.now();
      const database = `other_${name}_${pool}`.replaceAll(/\W/g, "_").toLowerCase();
      await using admin = createDatabase(server.url());
      await admin.query(`create database ${database}`);
      const outcome = await run(bundle, { url: server.url(database), pool });
      const ms = Date.now() - begun;
      const line = judgeOutcome({ orm: name, way: pool, outcome, first: lines[0], ms, isEdge: false, leastChecks: LEAST_CHECKS });
      const left = await connectionsLeft(admin, database);
      const whole = { ...line, problems: [...line.problems, ...(left > 0 ? [`${left} connections were left.`] : [])] };
      lines.push(whole);
      report(whole);
    }
  } finally {
    await rm(bundle, { force: true });
  }
  return lines;
}

async function bundleOther(name: string, outfile: string): Promise<void> {
  const contents = `
    import { performOther } from "./perform-other.ts";
    import { other } from "./${name}.ts";
    await performOther(other, JSON.parse(process.argv[2]));`;
  await build({
    stdin: { contents, resolveDir: join(root, "test/orm/others"), loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2023",
    packages: "external",
    alias: { "warmline/pool": join(root, "dist/node/pool.js") },
    tsconfigRaw: "{}",
    logLevel: "warning",
  });
}

/** How many connections to a database stay at the server, whose processes end a moment after their clients have. */
async function connectionsLeft(admin: Database, database: string): Promise<number> {
  const until = Date.now() + ENDED_WITHIN_MS;
  for (;;) {
    const { rows } = await admin.query<{ n: number }>("select count(*)::int as n from pg_stat_activity where datname = $1", [database]);
    const left = rows[0]?.n ?? 0;
    if (left === 0 || Date.now() > until) return left;
    await delay(50);
  }
}

/** Never rejects. */
async function run(bundle: string, place: OtherPlace): Promise<Outcome & { readonly packages: readonly string[] }> {
  const { PATH } = process.env;
  const running = promisify(execFile)(process.execPath, [bundle, JSON.stringify(place)], {
    cwd: join(bundle, ".."),
    env: { PATH, HOME: join(bundle, ".."), NO_COLOR: "1" },
    timeout: RUN_LIMIT_MS,
    killSignal: "SIGKILL",
    maxBuffer: 64 << 20,
  });
  const { stdout, stderr, problem } = await running.then(
    (ended) => ({ ...ended, problem: undefined }),
    (error) => ({ ...error, problem: error.killed ? "It did not end by itself." : String(error.stderr).slice(-2_000) }),
  );
  try {
    return { packages: [], ...(problem && { problem }), ...JSON.parse(stdout) };
  } catch {
    return { packages: [], checks: [], problem: problem ?? stderr };
  }
}
