import { posix } from "node:path";
import type { Import } from "./read-imports.ts";

/**
 * What the files of a place may import. A file follows the last rule whose place its path begins with, so the exceptions stand below. Targets
 * are paths in the repository and names of packages: one with a slash at its end stands for everything beneath, `node:` for every built-in.
 */
interface Rule {
  readonly place: string;
  readonly may: readonly string[];
  /** Reached for their types alone. */
  readonly mayType?: readonly string[];
}

const contract = ["src/transports/transport.ts", "src/transports/statements.ts"];
const neon = "@neondatabase/serverless";
/** Stands on the channels of the process, which are the same whoever looks for them, and on nothing else. */
const traced = "src/observe/trace-connections.ts";

const rules: readonly Rule[] = [
  { place: "src/errors/", may: ["src/errors/"] },
  // of a statement that is shown strings are blanked: where they end only the lexer knows
  { place: "src/errors/excerpt.ts", may: ["src/syntax/"] },
  { place: "src/syntax/", may: ["src/syntax/"] },
  { place: "src/wire/", may: ["src/wire/", "src/errors/", "src/syntax/"], mayType: ["src/transports/transport.ts"] },
  { place: "src/decide/", may: ["src/decide/", "src/errors/"], mayType: ["src/transports/transport.ts"] },
  { place: "src/observe/", may: ["src/observe/", "src/errors/", "src/syntax/"], mayType: ["src/transports/transport.ts"] },
  { place: "src/delivery/", may: ["src/delivery/", "src/errors/", "src/transports/transport.ts"], mayType: ["src/observe/"] },
  {
    place: "src/database/",
    may: ["src/database/", "src/delivery/", "src/observe/", "src/errors/", "src/syntax/", ...contract],
    mayType: ["src/decide/plan.ts"],
  },
  { place: "src/database/text-parsers.ts", may: ["src/database/", "postgres-date", "postgres-interval"] },
  { place: "src/transports/", may: ["src/transports/", "src/wire/", "src/errors/", "src/syntax/"], mayType: ["pg", "src/observe/"] },
  {
    place: "src/transports/http",
    may: ["src/transports/", "src/wire/columns.ts", "src/errors/", "src/syntax/"],
    mayType: ["src/observe/"],
  },
  { place: "src/transports/http-agent.ts", may: ["src/transports/", "undici", "node:timers/promises"] },
  { place: "src/transports/http-post.ts", may: ["src/transports/"], mayType: ["undici"] },
  { place: "src/transports/websocket", may: ["src/transports/", "src/wire/", "src/errors/", traced], mayType: ["src/observe/", neon] },
  {
    place: "src/transports/pool/",
    may: ["src/transports/", "src/wire/", "src/errors/", "src/syntax/", traced, "pg", "node:"],
    mayType: ["src/observe/"],
  },
  {
    place: "src/transports/request/",
    may: ["src/transports/", "src/wire/", "src/errors/", traced, "node:async_hooks", "node:events"],
    mayType: ["src/observe/", "pg"],
  },
  { place: "src/transports/transport.ts", may: [], mayType: ["src/errors/"] },
  {
    place: "src/entry/",
    may: ["src/entry/", "src/decide/", "src/database/", "src/delivery/", "src/observe/", "src/transports/", "src/errors/"],
  },
  // what opens sessions is given its driver, which is loaded with it
  { place: "src/entry/load-late.ts", may: ["src/entry/late.ts", "src/errors/", neon], mayType: ["src/"] },
  { place: "src/entry/browser", may: ["src/entry/public.ts", "src/entry/browser-refusal.ts", "src/errors/"], mayType: ["src/"] },
  { place: "src/entry/tcp.ts", may: ["src/entry/", "src/database/held-work.ts", "src/decide/", "pg"], mayType: ["src/"] },
  {
    place: "src/entry/node-platform.ts",
    may: [
      "src/entry/",
      "src/database/lacking.ts",
      "src/decide/",
      "src/transports/pool/process-clock.ts",
      "src/observe/trace-calls.ts",
      "node:async_hooks",
    ],
    mayType: ["src/"],
  },
  {
    place: "src/entry/workerd-platform.ts",
    may: [
      "src/decide/",
      "src/database/text-parsers.ts",
      "src/observe/trace-calls.ts",
      "src/transports/steady-clock.ts",
      "src/entry/",
      "cloudflare:workers",
    ],
    mayType: ["src/"],
  },
  {
    place: "src/entry/edge",
    may: ["src/entry/", "src/decide/", "src/database/text-parsers.ts", "src/transports/steady-clock.ts"],
    mayType: ["src/"],
  },
  {
    place: "src/entry/workerd.ts",
    may: ["src/entry/", "src/decide/"],
    mayType: ["src/"],
  },
  {
    place: "src/entry/workerd-pool.ts",
    may: ["src/entry/", "src/decide/", "src/transports/steady-clock.ts", "src/errors/", "cloudflare:workers"],
    mayType: ["src/"],
  },
  {
    place: "src/entry/node.ts",
    may: ["src/entry/", "src/database/held-work.ts", "src/decide/", "pg"],
    mayType: ["src/"],
  },
  { place: "src/entry/make-pool.ts", may: ["src/entry/", "src/decide/", "src/transports/", "src/errors/"] },
  { place: "src/entry/pool-login.ts", may: ["src/entry/", "src/aws/", "src/decide/", "src/transports/"] },
  { place: "src/entry/identity.ts", may: ["node:crypto"], mayType: ["src/"] },
  { place: "src/entry/pool-options.ts", may: [], mayType: ["src/decide/", "pg"] },
  { place: "src/entry/iam-login.ts", may: ["src/aws/"] },
  { place: "src/entry/contradictions.ts", may: ["src/aws/", "src/decide/"] },
  { place: "src/entry/pinning-report.ts", may: ["src/aws/"] },
  {
    place: "src/entry/hyperdrive.ts",
    may: ["src/entry/", "src/database/held-work.ts"],
    mayType: ["src/decide/"],
  },
  {
    place: "src/entry/hyperdrive-sockets.ts",
    may: ["src/entry/", "src/decide/", "src/transports/", "src/errors/", "cloudflare:workers", "node:async_hooks"],
  },
  { place: "src/aws/", may: ["src/aws/", "src/errors/", "src/syntax/", "node:", "@aws-sdk/dsql-signer", "@aws-sdk/rds-signer"] },
  { place: "src/keep/", may: ["src/keep/"], mayType: ["src/errors/errors.ts"] },
  { place: "src/keep/workerd.ts", may: ["src/keep/", "node:async_hooks"] },
  { place: "src/adapters/", may: ["src/adapters/"], mayType: ["src/entry/node.ts"] },
  { place: "src/adapters/check-database.ts", may: ["src/errors/"] },
  { place: "src/adapters/iso-date.ts", may: ["src/errors/"] },
  { place: "src/adapters/dashboard.ts", may: ["src/dashboard/", "hono/"], mayType: ["src/entry/node.ts"] },
  { place: "src/adapters/lambda-invocation.ts", may: ["src/adapters/", "src/errors/"] },
  {
    place: "src/adapters/vercel.ts",
    may: ["src/adapters/", "src/transports/pool/process-clock.ts"],
    mayType: ["src/entry/node.ts"],
  },
  { place: "src/adapters/open-transaction.ts", may: ["src/adapters/", "src/errors/"], mayType: ["src/entry/node.ts"] },
  { place: "src/adapters/several-statements.ts", may: ["src/syntax/"] },
  { place: "src/adapters/kysely", may: ["src/adapters/", "src/errors/", "kysely"], mayType: ["src/entry/node.ts"] },
  { place: "src/adapters/prisma", may: ["src/adapters/", "src/errors/"], mayType: ["src/entry/node.ts"] },
  {
    place: "src/adapters/drizzle",
    may: ["src/adapters/", "src/errors/errors.ts", "drizzle-orm"],
    mayType: ["src/entry/node.ts"],
  },
  {
    place: "src/adapters/otel",
    may: ["src/adapters/", "src/observe/query-shape.ts", "@opentelemetry/api"],
    mayType: ["src/entry/node.ts"],
  },
  { place: "src/dashboard/", may: ["src/dashboard/", "src/errors/", "src/endpoint/this-machine.ts"], mayType: ["src/entry/node.ts"] },
  {
    place: "src/endpoint/",
    may: ["src/endpoint/", "src/decide/", "src/wire/", "src/errors/", "pg", "ws", "node:"],
    mayType: ["src/transports/transport.ts"],
  },
  { place: "src/cli/", may: ["src/cli/", "src/decide/", "src/entry/", "src/endpoint/", "src/doctor/", "node:"] },
  // what it sees is made into evidence, which rules judge: they reach nothing by themselves
  { place: "src/doctor/", may: ["src/doctor/", "src/entry/", "src/errors/"], mayType: ["src/decide/"] },
  {
    place: "src/doctor/look/",
    may: ["src/doctor/", "src/decide/", "src/entry/", "src/endpoint/", "src/wire/", "src/errors/", "pg", "node:"],
    mayType: ["src/transports/"],
  },
  { place: "src/doctor/code/", may: ["src/doctor/", "oxc-parser", "smol-toml", "yaml", "node:"] },
  {
    place: "src/doctor/rules/",
    may: ["src/doctor/rules/", "src/doctor/rule.ts", "src/doctor/code/code-rules.ts"],
    mayType: ["src/doctor/"],
  },
  { place: "functions/", may: ["functions/", "warmline", "hono/", "@hono/", "valibot", "@valibot/"] },
  { place: "functions/node.ts", may: ["functions/", "warmline", "hono/", "@hono/", "node:"] },
  { place: "functions/processes.ts", may: ["functions/", "node:"] },
];

/** Files of the transports, and what of their own folder they must not pull in: pg stays out of every bundle that does not ask for it. */
const walls: readonly { readonly outside: string; readonly inside: string; readonly doors: readonly string[] }[] = [
  { outside: "src/transports/", inside: "src/transports/pool/", doors: ["src/transports/pool/", "src/transports/request/"] },
];

/** A room of the repository beside src and functions, whose files import one another as they like, and what else they may import. */
interface Room {
  readonly place: string;
  readonly may: readonly string[];
}

/**
 * `test/support` is what tests, scripts and the benchmark share, and stands on nothing of theirs. Beyond it a script calls a suite by the one
 * file that runs it, and the tests of the scripts alone import scripts; the benchmark finds Bun and initializes functions where they do, and prints their table. A file is in the first room whose place its path begins with.
 */
const rooms: readonly Room[] = [
  { place: "test/support/", may: [] },
  { place: "test/scripts/", may: ["test/support/", "scripts/"] },
  { place: "test/keep/", may: ["test/support/", "test/lambda/", "examples/keep/"] },
  // what the demo shows, looked at
  { place: "test/browser/", may: ["test/support/", "scripts/demo/"] },
  { place: "test/", may: ["test/support/"] },
  {
    place: "scripts/",
    may: [
      "test/support/",
      "test/faults/run.ts",
      "test/fuzz/run.ts",
      "test/fuzz/sql/run.ts",
      "test/fuzz/handles/run.ts",
      "test/fuzz/calls/run.ts",
      "test/fuzz/state/run.ts",
      "test/keep/breaker/run.ts",
      "test/keep/faults/run.ts",
      "test/keep/lives/run.ts",
      "test/keep/servers/find-program.ts",
      "test/lambda/faults/run.ts",
      "test/lambda/bundle-handler.ts",
      "test/lambda/network.ts",
      "test/lambda/faults/time-run.ts",
      "test/lambda/sandbox.ts",
      "test/ledger/run.ts",
      "test/orm/orm.ts",
      "test/orm/at-module-scope.ts",
      "test/orm/others/other.ts",
      "test/runtimes/judge.ts",
    ],
  },
  {
    place: "bench/",
    may: [
      "test/support/",
      "scripts/lambda/init-measure.ts",
      "scripts/package/tools.ts",
      "scripts/report/aligned-table.ts",
      "scripts/runtimes/command.ts",
    ],
  },
  { place: "examples/", may: [] },
];

/** Every import of `file` that reaches into a room that is closed to it, in words. Whoever is in no room may reach into none. */
export function findTrespasses(file: string, imports: readonly Import[]): readonly string[] {
  const roomOf = (path: string) => rooms.find(({ place }) => path.startsWith(place));
  const own = roomOf(file);
  const mayReach = (target: string) => roomOf(target) === own || own?.may.some((place) => target.startsWith(place));
  const targets = imports.map((imported) => targetOf(file, imported)).filter((target) => roomOf(target) !== undefined);
  return targets.filter((target) => !mayReach(target)).map((target) => `${file} may not import ${target}`);
}

/** The path in the repository, or the name of a package. */
export function targetOf(file: string, { specifier }: Import): string {
  return specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : specifier;
}

/** Every import of `file` that no rule allows, in words. */
export function findBreaches(file: string, imports: readonly Import[]): readonly string[] {
  const rule = rules.findLast(({ place }) => file.startsWith(place));
  if (rule === undefined) return [`${file}: no rule says what may be imported here. Add one to the table.`];
  return imports.filter((imported) => !isAllowed(file, rule, imported)).map(({ specifier }) => `${file} may not import ${specifier}`);
}

function isAllowed(file: string, rule: Rule, imported: Import): boolean {
  const { typeOnly } = imported;
  const target = targetOf(file, imported);
  const mayPass = (doors: readonly string[]) => doors.some((door) => file.startsWith(door));
  if (walls.some(({ outside, inside, doors }) => file.startsWith(outside) && !mayPass(doors) && target.startsWith(inside))) return false;
  const allowed = typeOnly ? [...rule.may, ...(rule.mayType ?? [])] : rule.may;
  return allowed.some((name) => target === name || `${target}/`.startsWith(name.endsWith("/") || name.endsWith(":") ? name : `${name}/`));
}
