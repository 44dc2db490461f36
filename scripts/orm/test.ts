// `npm run test:orm`: a program for each ORM, unchanged on every way to the server. Needs `dist`.
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDatabase } from "warmline";
import { startEndpoint } from "warmline/endpoint";
import type { Place } from "../../test/orm/orm.ts";
import { startPostgres } from "../../test/support/postgres/server.ts";
import { startWire } from "../../test/support/wire.ts";
import { installTools } from "../package/tools.ts";
import type { Packages } from "./bundle.ts";
import { judgeOutcome, type Line } from "./judge.ts";
import { compile } from "./types.ts";
import { runProgram, type Way, ways } from "./ways.ts";

interface Subject {
  readonly name: string;
  /** A file of `test/orm/programs`. */
  readonly program: string;
  /** Its packages that are installed under another name. */
  readonly packages?: Packages;
  /** What is compiled under those. */
  readonly types?: readonly string[];
}

const subjects: readonly Subject[] = [
  { name: "drizzle 0.45", program: "drizzle-0.ts" },
  {
    name: "drizzle 1.0",
    program: "drizzle-1.ts",
    packages: { "drizzle-orm": "drizzle-orm-1" },
    types: ["test/orm/programs/drizzle-1.ts", "test/types/drizzle.ts"],
  },
];

/** Of one problem, characters; the whole of it is told with `--json`. */
const MOST_SHOWN = 600;

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false }, only: { type: "string", default: "" } } });
const progress = (line: string) => console.error(line);
const chosen = subjects.filter(({ name }) => name.startsWith(flags.only));
if (chosen.length === 0) throw new Error(`--only begins one of ${subjects.map(({ name }) => name).join(", ")}.`);

progress("installing the ORMs");
const tools = await installTools("test/orm/tools");
// inside of node_modules: what is not bundled is found from there
await mkdir("node_modules/.cache/warmline", { recursive: true });
const folder = await mkdtemp(join(process.cwd(), "node_modules/.cache/warmline/orm-"));
const server = await startPostgres({ settings: { max_connections: "200" } });
const lines: Line[] = [];
try {
  for (const subject of chosen) {
    const { types: files = [], packages = {} } = subject;
    if (files.length > 0) {
      const said = await compile({ files, packages, tools, folder });
      lines.push({ orm: subject.name, way: "types", checks: [], problems: said, ms: 0 });
      report(lines.at(-1) as Line);
    }
    let first: Line | undefined;
    for (const way of ways) {
      const line = await run(subject, way, first);
      first ??= line;
      lines.push(line);
      report(line);
    }
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
if (flags.json) console.log(JSON.stringify({ lines }));
if (lines.some(({ problems }) => problems.length > 0)) process.exitCode = 1;

/** Runs a program in a database of its own; everything on its way to the server is counted. */
async function run({ name, program, packages = {} }: Subject, way: Way, first: Line | undefined): Promise<Line> {
  const begun = Date.now();
  const database = `orm_${lines.length}`;
  await using stack = new AsyncDisposableStack();
  const admin = stack.use(createDatabase(server.url()));
  await admin.query(`create database ${database}`);
  const atServer = stack.use(await startWire(server));
  const url = server.url(database).replace(`:${server.port}/`, `:${atServer.port}/`);
  const endpoint = await startEndpoint({ databaseUrl: url, port: 0 });
  stack.defer(() => endpoint.stop());
  const { port } = new URL(endpoint.url);
  const atEndpoint = stack.use(await startWire({ host: "127.0.0.1", port: Number(port) }));
  const counter = createServer((request, response) => {
    const counted = way.transport === "http" && request.url === "/calls" ? atEndpoint : atServer;
    response.end(String(counted.roundTrips()));
    counted.reset();
  });
  await once(counter.listen(0, "127.0.0.1"), "listening");
  stack.defer(() => void counter.close());
  const place: Place = {
    url,
    transport: way.transport,
    endpoint: endpoint.url.replace(`:${port}`, `:${atEndpoint.port}`),
    counter: `http://127.0.0.1:${(counter.address() as AddressInfo).port}`,
  };
  const outfile = join(folder, `${lines.length}.mjs`);
  const outcome = await runProgram(way, { program, packages, tools, outfile }, place, async () => {
    // a statement that is given up through Hyperdrive runs on: what takes its cancellation is not told
    const count = "select count(*)::int as n from pg_stat_activity where datname = $1 and query not like '%pg_sleep%'";
    const { rows } = await admin.query<{ n: number }>(count, [database]);
    return rows[0]?.n ?? 0;
  });
  return judgeOutcome({ orm: name, way: way.name, outcome, first, ms: Date.now() - begun, isEdge: way.kind === "workerd over HTTP" });
}

function report({ orm, way, checks, problems, ms }: Line): void {
  progress(`${problems.length === 0 ? "✓" : "✗"} ${orm} · ${way}: ${checks.length} checks, ${problems.length} problems, ${ms} ms`);
  for (const problem of problems) progress(`    ${problem.slice(0, MOST_SHOWN).replaceAll("\n", "\n    ")}`);
}
