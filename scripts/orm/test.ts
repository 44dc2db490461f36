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
import type { Files, Packages } from "./bundle.ts";
import { examples, runExample } from "./examples.ts";
import { judgeOutcome, type Line } from "./judge.ts";
import { loadWorker } from "./load.ts";
import { others, runOther } from "./others.ts";
import { generateClients } from "./prisma.ts";
import { compile } from "./types.ts";
import { ownDriver, runProgram, type Way, ways } from "./ways.ts";

interface Subject {
  readonly name: string;
  /** A file of `test/orm/programs`. */
  readonly program: string;
  /** Its packages that are installed under another name. */
  readonly packages?: Packages;
  /** What is compiled under those. */
  readonly types?: readonly string[];
  /** The same over the ORM's own driver, run before the ways, which are held against it. */
  readonly own?: string;
  /** Makes what it needs before it is bundled, in a folder. */
  readonly generate?: (tools: string, folder: string) => Promise<Files>;
  /** Default 40: all that an ORM does. */
  readonly leastChecks?: number;
  /** Which ways it takes, by name; default all. */
  readonly takes?: RegExp;
}

/** Where connections can be had. */
const withSockets = /pool|Hyperdrive/;

const subjects: readonly Subject[] = [
  { name: "drizzle 0.45", program: "drizzle-0.ts" },
  {
    name: "drizzle 1.0",
    program: "drizzle-1.ts",
    packages: { "drizzle-orm": "drizzle-orm-1" },
    types: ["test/orm/programs/drizzle-1.ts", "test/types/drizzle.ts"],
  },
  { name: "kysely", program: "kysely.ts", own: "kysely-own.ts" },
  { name: "prisma", program: "prisma.ts", own: "prisma-own.ts", generate: generateClients, types: ["test/orm/prisma/types.ts"] },
  { name: "kysely over sharedPool", program: "kysely-pool.ts", own: "kysely-own.ts", takes: withSockets },
  {
    name: "prisma over sharedPool",
    program: "prisma-pool.ts",
    own: "prisma-own.ts",
    generate: generateClients,
    takes: withSockets,
    // the adapter takes a pool of its own copy of pg
    packages: { pg: "pg" },
  },
  { name: "better-auth", program: "better-auth.ts", leastChecks: 10 },
  // it reads files
  { name: "mikro-orm", program: "mikro-orm.ts", leastChecks: 10, takes: /^(node|bun)/ },
];

/** At module scope in a worker, each of its requests over connections of its own. */
const services: readonly Subject[] = [
  { name: "at module scope, drizzle", program: "module-drizzle.ts" },
  { name: "at module scope, kysely", program: "module-kysely.ts" },
  { name: "at module scope, prisma", program: "module-prisma.ts", generate: generateClients, packages: { pg: "pg" } },
];

/** Of one problem, characters; the whole of it is told with `--json`. */
const MOST_SHOWN = 600;

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false }, only: { type: "string", default: "" } } });
const progress = (line: string) => console.error(line);
const chosen = subjects.filter(({ name }) => name.startsWith(flags.only));
const chosenServices = services.filter(({ name }) => name.startsWith(flags.only));
const chosenOthers = others.filter((name) => name.startsWith(flags.only));
const chosenExamples = examples.filter((name) => `example, ${name}`.startsWith(flags.only));
if (chosen.length + chosenServices.length + chosenOthers.length + chosenExamples.length === 0) {
  const names = [...[...subjects, ...services].map(({ name }) => name), ...others, ...examples.map((name) => `example, ${name}`)];
  throw new Error(`--only begins one of ${names.join(", ")}.`);
}

progress("installing the ORMs");
const tools = await installTools("test/orm/tools");
// inside of node_modules: what is not bundled is found from there
await mkdir("node_modules/.cache/warmline", { recursive: true });
const folder = await mkdtemp(join(process.cwd(), "node_modules/.cache/warmline/orm-"));
const server = await startPostgres({ settings: { max_connections: "200" } });
const lines: Line[] = [];
try {
  for (const subject of chosen) {
    const { types = [], packages = {}, own, generate, takes } = subject;
    if (types.length > 0) {
      const said = await compile({ files: types, packages, tools, folder });
      lines.push({ orm: subject.name, way: "types", checks: [], problems: said, ms: 0 });
      report(lines.at(-1) as Line);
    }
    let first: Line | undefined;
    const files = (await generate?.(tools, folder)) ?? {};
    const before = own === undefined ? [] : [{ ...ownDriver, subject: { ...subject, program: own } }];
    for (const way of [...before, ...ways.filter(({ name }) => takes?.test(name) ?? true).map((way) => ({ ...way, subject }))]) {
      const line = await run({ ...way.subject, files }, way, first);
      first ??= line;
      lines.push(line);
      report(line);
    }
  }
  for (const { name, program, generate, packages = {} } of chosenServices) {
    const files = (await generate?.(tools, folder)) ?? {};
    const line = await loadWorker(name, { program, packages, files, tools, folder }, server);
    lines.push(line);
    report(line);
  }
  for (const name of chosenOthers) lines.push(...(await runOther(name, server, tools, report)));
  for (const name of chosenExamples) lines.push(...(await runExample(name, server, tools, report)));
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
if (flags.json) console.log(JSON.stringify({ lines }));
if (lines.some(({ problems }) => problems.length > 0)) process.exitCode = 1;

/** Runs a program in a database of its own; everything on its way to the server is counted. */
async function run(
  { name, program, packages = {}, files, leastChecks = 40 }: Subject & { readonly files: Files },
  way: Way,
  first: Line | undefined,
): Promise<Line> {
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
  const outcome = await runProgram(way, { program, packages, files, tools, outfile }, place, async () => {
    // a statement that is given up through Hyperdrive runs on: what takes its cancellation is not told
    const count = "select count(*)::int as n from pg_stat_activity where datname = $1 and query not like '%pg_sleep%'";
    const { rows } = await admin.query<{ n: number }>(count, [database]);
    return rows[0]?.n ?? 0;
  });
  return judgeOutcome({
    orm: name,
    way: way.name,
    outcome,
    first,
    leastChecks,
    ms: Date.now() - begun,
    isEdge: way.kind === "workerd over HTTP",
  });
}

function report({ orm, way, checks, problems, ms }: Line): void {
  progress(`${problems.length === 0 ? "✓" : "✗"} ${orm} · ${way}: ${checks.length} checks, ${problems.length} problems, ${ms} ms`);
  for (const problem of problems) progress(`    ${problem.slice(0, MOST_SHOWN).replaceAll("\n", "\n    ")}`);
}
