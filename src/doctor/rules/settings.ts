import type { Configured, Pieces } from "../evidence.ts";
import { type Rule, rule } from "../rule.ts";
import { inMinutes, one, roleOf, urlOf } from "./words.ts";

/**
 * The lowest idle limit that ends a connection without a word on common ways: EC2's connection tracking, NAT gateways and Network Load
 * Balancers. Source: AWS documentation, "Connection tracking".
 */
const LOWEST_IDLE_LIMIT_MS = 350_000;

/** Serverless: instances come and go with the load, and each holds its own. */
const comesInMany = ({ plan }: Configured) => !["node", "bun", "deno"].includes(plan.runtime);

/** What sessions a server grants to this login. */
export function grantedTo({ maxConnections, reserved, roleLimit, databaseLimit }: Pieces["limits"]): number {
  return Math.min(maxConnections - reserved, roleLimit ?? Number.POSITIVE_INFINITY, databaseLimit ?? Number.POSITIVE_INFINITY);
}

/** Variables under which platforms and guides put the way around a pooler. Sources: the documentation of Neon, Prisma, Supabase and Vercel. */
const directVariables = ["DIRECT_URL", "DIRECT_DATABASE_URL", "DATABASE_URL_UNPOOLED", "POSTGRES_URL_NON_POOLING", "DATABASE_DIRECT_URL"];

/** Packages that change schemas, and whose locks and sessions a pooler breaks. */
const migrators = ["prisma", "drizzle-kit", "node-pg-migrate", "knex", "typeorm", "graphile-migrate", "db-migrate", "umzug"];

/** Rules over what was set, and the server it meets. */
export const settingsRules: readonly Rule[] = [
  rule({
    name: "pool-over-budget",
    group: "settings",
    needs: ["configured", "limits"],
    costs: "One full pool takes every slot: the next deployment, a migration and whoever is called to help get 53300.",
    find: ({ configured, limits }) =>
      one(configured.plan.transport === "pool" && !configured.plan.capabilities.pooled && configured.plan.max >= grantedTo(limits), () => ({
        found: `max is ${configured.plan.max} for one process, and the server grants this login ${grantedTo(limits)}.`,
        change: urlOf(configured, `connection_limit=${Math.max(1, Math.floor(grantedTo(limits) / 2))}`),
      })),
  }),
  rule({
    name: "max-on-lambda",
    group: "settings",
    needs: ["configured"],
    costs: "An environment serves one call at a time: the others of its connections only hold slots, also while it is frozen.",
    find: ({ configured }) =>
      one(configured.plan.traits.concurrency === "one" && configured.plan.max > 1, () => ({
        found: `max is ${configured.plan.max} on ${configured.plan.runtime}, where an instance serves one call at a time.`,
        change: urlOf(configured, "connection_limit=1"),
      })),
  }),
  rule({
    name: "idle-over-network-limit",
    group: "settings",
    needs: ["configured"],
    costs: "The network or the server forgets the connection first: the next call writes into it and waits for a probe, or fails.",
    find({ configured }) {
      const { plan, settings } = configured;
      const limit = Math.min(LOWEST_IDLE_LIMIT_MS, settings.idleSessionTimeoutMs ?? plan.capabilities.serverIdleMs ?? LOWEST_IDLE_LIMIT_MS);
      const idle = plan.idleTimeoutMs;
      return one(plan.transport === "pool" && !plan.traits.freezes && (idle === 0 || idle > limit), () => ({
        found: `A connection may be idle ${idle === 0 ? "for ever" : `for ${inMinutes(idle)}`}, and something on the way ends it after ${inMinutes(limit)}.`,
        change: urlOf(configured, "max_idle_connection_lifetime=30"),
      }));
    },
  }),
  rule({
    name: "deadline-over-timeout",
    group: "settings",
    needs: ["configured", "project"],
    costs:
      "The platform ends the function first: the caller gets its time-out in place of an error that says what became of the statement.",
    find: ({ configured, project }) =>
      project.functionTimeouts.flatMap(({ seconds, platform, at }) => {
        const deadlineMs = platform === "lambda" ? configured.deadlineOnLambdaMs : configured.plan.deadlineMs;
        const shorter = urlOf(configured, `socket_timeout=${Math.max(1, Math.floor(seconds) - 1)}`);
        return one(deadlineMs === 0 || deadlineMs >= seconds * 1_000, () => ({
          found: `A call may take ${deadlineMs === 0 ? "for ever" : `${deadlineMs / 1_000} s`}, and the function has ${seconds} s.`,
          change: platform === "lambda" ? `lambdaHandler(db, …) of warmline/lambda, which knows the time; or ${shorter}` : shorter,
          at,
        }));
      }),
  }),
  rule({
    name: "no-statement-limit",
    group: "settings",
    needs: ["configured", "limits"],
    sparesLocal: true,
    costs: "A statement whose caller is gone runs on: it holds its slot, its locks and a core until it is done.",
    find: ({ configured, limits }) =>
      one(limits.statementTimeoutMs === 0, () => ({
        found: "statement_timeout is 0 for this login: nothing at the server ends a statement.",
        change: `alter role ${roleOf(configured)} set statement_timeout = '30s'`,
      })),
  }),
  rule({
    name: "no-idle-in-transaction-limit",
    group: "settings",
    needs: ["configured", "limits"],
    sparesLocal: true,
    costs: "A transaction whose environment is frozen or gone keeps its locks, and keeps VACUUM from every row since it began.",
    find: ({ configured, limits }) =>
      one(limits.idleInTransactionTimeoutMs === 0, () => ({
        found: "idle_in_transaction_session_timeout is 0 for this login: nothing ends a transaction that was left open.",
        change: `alter role ${roleOf(configured)} set idle_in_transaction_session_timeout = '60s'`,
      })),
  }),
  rule({
    name: "pooler-not-told",
    group: "settings",
    needs: ["configured", "backend"],
    costs:
      "Statements are kept by name, and session state is set, on servers that the next call may not get: 26000, or somebody else's settings.",
    // services have proxies that hand out numbers of their own, and are told by their hosts
    find: ({ configured, backend }) =>
      one(backend.behindPooler && configured.plan.target === "postgres", () => ({
        found: "A pooler stands between: the process that answers is not the one that the login was told.",
        change: `${urlOf(configured, "pgbouncer=true")}, unless it lends a server for a whole session`,
      })),
  }),
  rule({
    name: "session-pooler-port",
    group: "settings",
    needs: ["configured"],
    costs: "In session mode each environment holds a server's connection for as long as it lives, asleep too; the smallest pool has 15.",
    find: ({ configured }) =>
      one(configured.plan.target === "supavisor-session" && comesInMany(configured), () => ({
        found: `Port 5432 of Supabase's pooler is session mode, and ${configured.plan.runtime} comes in many instances.`,
        change: `${configured.urlName}: port 6543 (and directUrl with 5432 for migrations)`,
      })),
  }),
  rule({
    name: "direct-host",
    group: "settings",
    needs: ["configured"],
    costs: "Every instance takes a slot of the server itself: at some hundred of them the next one gets 53300.",
    find({ configured }) {
      const { plan, urlName } = configured;
      const { host } = plan.server;
      const supabase = /^db\.([a-z\d]+)\.supabase\.co$/i.test(host);
      return one(plan.transport === "pool" && comesInMany(configured) && (plan.target === "neon" || supabase), () => ({
        found: `${plan.runtime} comes in many instances, and ${host} is the server itself, beside which its service has a pooler.`,
        change: supabase
          ? `${urlName}: the pooler's host of the project's settings, port 6543`
          : `${urlName}: host ${host.replace(/^[^.]+/, "$&-pooler")}`,
      }));
    },
  }),
  rule({
    name: "no-direct-url",
    group: "settings",
    needs: ["configured", "variables", "project", "sources"],
    costs: "Migrations go through the pooler: their session locks are granted to everybody, and a second one runs beside the first.",
    find({ configured, variables, project, sources }) {
      const tool = migrators.find((name) => project.packages.includes(name));
      const { sessionState, pooled } = configured.plan.capabilities;
      const told = sources.namesDirectUrl !== false || directVariables.some((name) => variables[name]);
      return one(tool !== undefined && pooled && !sessionState && configured.plan.transport !== "http" && !told, () => ({
        found: `${tool} is in package.json, ${configured.plan.target} keeps no session, and nothing names a way around it.`,
        change: "DIRECT_URL=postgres://user:password@<the server's own host>:5432/database, and directUrl in the settings",
        at: "package.json",
      }));
    },
  }),
];
