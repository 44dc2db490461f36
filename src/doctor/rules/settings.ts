import type { Configured, Pieces, SessionFacts } from "../evidence.ts";
import { type Found, type Rule, rule } from "../rule.ts";

/**
 * The lowest idle limit that ends a connection without a word on common ways: EC2's connection tracking, NAT gateways and Network Load
 * Balancers. Source: AWS documentation, "Connection tracking".
 */
const LOWEST_IDLE_LIMIT_MS = 350_000;
const DAY_MS = 86_400_000;
/** Certificates are renewed thirty days before their end by those who do it by themselves. Source: Let's Encrypt's documentation. */
const CERTIFICATE_MARGIN_MS = 21 * DAY_MS;
const FAR_MS = 10;
/** Enough to tell a clock from a slow answer; AWS takes tokens that are 5 minutes off, and certificates are not lenient at all. */
const SKEW_MS = 5_000;

const urlOf = ({ urlName }: Pick<Configured, "urlName">, parameter: string) => `${urlName}: …?${parameter}`;
const one = (when: boolean, found: () => Found): readonly Found[] => (when ? [found()] : []);
const inMinutes = (ms: number) => `${Math.round(ms / 60_000)} min`;
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

/** Rules over what was set, and what it meets at the server. */
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
    find: ({ configured: { plan, ...configured }, project }) =>
      project.functionTimeouts
        .filter(({ seconds }) => plan.deadlineMs === 0 || plan.deadlineMs >= seconds * 1_000)
        .map(({ seconds, at }) => ({
          found: `A call may take ${plan.deadlineMs === 0 ? "for ever" : `${plan.deadlineMs / 1_000} s`}, and the function has ${seconds} s.`,
          change: urlOf(configured, `socket_timeout=${Math.max(1, Math.floor(seconds) - 1)}`),
          at,
        })),
  }),
  rule({
    name: "no-statement-limit",
    group: "settings",
    needs: ["configured", "limits"],
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
    needs: ["configured", "session"],
    costs:
      "Statements are kept by name, and session state is set, on servers that the next call may not get: 26000, or somebody else's settings.",
    find: ({ configured, session }) =>
      one(session.behindPooler && !configured.plan.capabilities.pooled, () => ({
        found: `What answers as ${configured.plan.target} is a pooler: the process that answers is not the one that the login was told.`,
        change: urlOf(configured, "pgbouncer=true"),
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
      const told = sources.namesDirectUrl || directVariables.some((name) => variables[name]);
      return one(tool !== undefined && pooled && !sessionState && configured.plan.transport !== "http" && !told, () => ({
        found: `${tool} is in package.json, ${configured.plan.target} keeps no session, and nothing names a way around it.`,
        change: "DIRECT_URL=postgres://user:password@<the server's own host>:5432/database, and directUrl in the settings",
        at: "package.json",
      }));
    },
  }),
  rule({
    name: "unverified-tls",
    group: "settings",
    needs: ["configured"],
    costs: "Whoever is on the way can answer as the server, and read the password and all that follows.",
    find: ({ configured: { plan, tls, ...configured } }) =>
      one(plan.transport !== "http" && tls.warnings.length > 0, () => ({
        found:
          tls.mode === "no-verify"
            ? "TLS is used, and nobody checks whose certificate it is."
            : "Nothing is encrypted on the way to another machine.",
        change: urlOf(configured, "sslmode=verify-full"),
      })),
  }),
  rule({
    name: "certificate-near-its-end",
    group: "settings",
    needs: ["reach"],
    costs: "After that every new connection fails with TLS_FAILED, while those that are open go on: it shows with the next deployment.",
    find({ reach: { certificateEndsAt, now } }) {
      if (certificateEndsAt === null || certificateEndsAt - now > CERTIFICATE_MARGIN_MS) return [];
      const days = Math.floor((certificateEndsAt - now) / DAY_MS);
      return [
        {
          found: days < 0 ? `The server's certificate ended ${-days} days ago.` : `The server's certificate ends in ${days} days.`,
          change: "renew the server's certificate, and look at what should have",
        },
      ];
    },
  }),
  rule({
    name: "sslmode-misread",
    group: "settings",
    needs: ["configured", "sources"],
    costs: "pg 8 verifies with it, libpq and pg 9 do not: an update of a driver ends the check without a word.",
    find: ({ configured, sources }) =>
      sources.bareDrivers.slice(0, configured.sslmode === "require" || configured.sslmode === "verify-ca" ? 1 : 0).map((at) => ({
        found: `sslmode=${configured.sslmode} is handed to a driver that reads it by itself, each in its own way.`,
        change: urlOf(configured, "sslmode=verify-full"),
        at,
      })),
  }),
  rule({
    name: "far-region",
    group: "settings",
    needs: ["session"],
    costs: "Every statement waits for it: ten in a row cost ten times as much, whatever the server does.",
    find: ({ session: { roundTripMs } }) =>
      one(roundTripMs > FAR_MS, () => ({
        found: `A round trip takes ${roundTripMs.toFixed(1)} ms from here; within a region it is 1 to 3.`,
        change: "run the function in the region of the database; until then send statements together: db.batch([…])",
      })),
  }),
  rule({
    name: "password-near-its-end",
    group: "settings",
    needs: ["configured", "variables"],
    costs: "What is open goes on, and every new connection is refused (28P01 or 28000): it shows when the load grows.",
    find({ configured, variables }) {
      const { passwordEndsAt: end, now, urlName } = configured;
      const credentials = Date.parse(variables.AWS_CREDENTIAL_EXPIRATION ?? "");
      const uses = configured.plan.capabilities.iam && configured.settings.address.password === null;
      return [
        ...one(end !== null, () => ({
          found: `The password is a token that ${(end as number) < now ? "is over" : `ends in ${inMinutes((end as number) - now)}`}, kept as text.`,
          change: `${urlName}: without the password on AWS, where tokens are signed for each login; elsewhere the option password: () => freshToken()`,
        })),
        ...one(uses && credentials - now < 15 * 60_000, () => ({
          found: `The credentials that sign tokens ${credentials < now ? "are over" : `end in ${inMinutes(credentials - now)}`}, and tokens end with them.`,
          change: "renew the credentials of AWS_CREDENTIAL_EXPIRATION",
          at: "AWS_CREDENTIAL_EXPIRATION",
        })),
      ];
    },
  }),
  rule({
    name: "clock-skew",
    group: "settings",
    needs: ["session"],
    costs: "Tokens are refused before their time, certificates are judged by another day, and ages in logs are wrong.",
    find: ({ session: { clockAheadMs } }) =>
      one(Math.abs(clockAheadMs) > SKEW_MS, () => ({
        found: `This machine's clock is ${(Math.abs(clockAheadMs) / 1_000).toFixed(1)} s ${clockAheadMs > 0 ? "behind" : "ahead of"} the server's.`,
        change: "set the clock by NTP (timedatectl set-ntp true)",
      })),
  }),
  rule({
    name: "superuser-login",
    group: "settings",
    needs: ["configured", "role"],
    costs: "Row-level security and every grant are without effect: one injected statement may read and drop everything.",
    find: ({ configured, role }) =>
      one(role.superuser || role.bypassesRls, () => ({
        found: `The login is a role with ${role.superuser ? "SUPERUSER" : "BYPASSRLS"}.`,
        change: `create role app login password '…'; grant what it needs; ${configured.urlName}: user app`,
      })),
  }),
  rule({
    name: "replica-for-writes",
    group: "settings",
    needs: ["configured", "session", "limits"],
    costs: "Reads succeed and may be stale; every write fails with 25006.",
    find: ({ configured, session, limits }) =>
      one(readsAlone(session, limits) && !asksForReads(configured), () => ({
        found: session.inRecovery
          ? "The server is a standby, and the settings ask for none."
          : "Transactions of this login are read only by default.",
        change: session.inRecovery
          ? urlOf(configured, "target_session_attrs=read-write, with the primary among the hosts")
          : `alter role ${roleOf(configured)} reset default_transaction_read_only`,
      })),
  }),
];

function readsAlone({ inRecovery }: SessionFacts, { readOnlyByDefault }: Pieces["limits"]): boolean {
  return inRecovery || readOnlyByDefault;
}

function asksForReads({ settings }: Configured): boolean {
  return ["read-only", "standby", "prefer-standby"].includes(settings.address.targetSessionAttrs);
}

/** A name as SQL quotes it. */
function roleOf({ settings }: Configured): string {
  return `"${settings.address.user.replaceAll('"', '""')}"`;
}
