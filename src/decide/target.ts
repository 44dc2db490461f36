import { HYPERDRIVE_HOST } from "./host.ts";
import { BY_SETTING } from "./runtime.ts";

/** What stands at the other end. */
export type TargetName =
  | "postgres"
  | "neon"
  | "neon-pooler"
  | "rds"
  | "rds-proxy"
  | "dsql"
  | "pgbouncer"
  | "supavisor-transaction"
  | "supavisor-session"
  | "hyperdrive"
  | "planetscale";

/** What the other end can do. Only these decide anything, never the target's name. */
export interface Capabilities {
  /** Whether it speaks SQL over HTTP, by itself or through the `endpoint` setting. */
  readonly httpSql: boolean;
  /** Whether a statement prepared by name is there on the next call. */
  readonly namedStatements: boolean;
  /** Whether several calls may be on their way on one connection. */
  readonly pipelining: boolean;
  /** Whether it takes `options` and `statement_timeout` at login. */
  readonly startupParameters: boolean;
  /** Whether SET, session locks and temporary tables stay with the connection, and whoever holds it can undo them. */
  readonly sessionState: boolean;
  /** Whether it ties a client that sets session state to one backend, until the client's connection ends. */
  readonly pins: boolean;
  /** Whether a CancelRequest reaches the statement. */
  readonly cancel: boolean;
  /** Whether it takes IAM tokens for passwords. */
  readonly iam: boolean;
  /** Whether a pooler stands between: its own 58xxx and XXxxx errors say nothing about the statement. */
  readonly pooled: boolean;
  /** Whether it is reached by verified TLS alone. */
  readonly verifiedTls: boolean;
  /** What of Postgres' own SQL it has not, and what is refused with NOT_SUPPORTED before it is sent. Most have all. */
  readonly lacks: readonly Lack[];
  /** How old a connection may grow before it is replaced, milliseconds, so that the target never ends one in use; null where it ends none. */
  readonly maxAgeMs: number | null;
  /** After how many idle milliseconds it closes a connection; null where it keeps them, or nobody says. */
  readonly serverIdleMs: number | null;
}

/** What of Postgres' own SQL a target may not have; `isolation levels`: other ones than repeatable read. */
type Lack = "savepoints" | "isolation levels" | "advisory locks" | "temporary tables" | "notifications";

/** Where SQL over HTTP is spoken: complete addresses, without credentials. */
export interface HttpEndpoint {
  /** Statements are posted here: `https://…/sql`. */
  readonly sqlUrl: string;
  /** Sessions are opened here: `wss://…/v2`. */
  readonly sessionUrl: string;
}

/** The target that was found or chosen. */
export interface DetectedTarget {
  readonly name: TargetName;
  readonly capabilities: Capabilities;
  /** Null exactly where `capabilities.httpSql` is false. */
  readonly endpoint: HttpEndpoint | null;
  /** How it was told, in words. */
  readonly reason: string;
}

const session = ["namedStatements", "startupParameters", "sessionState", "cancel"] as const;
const direct = [...session, "pipelining"] as const;
const abilities = ["httpSql", ...direct, "iam", "pooled", "pins", "verifiedTls"] as const;

type Ability = (typeof abilities)[number];

/** Aurora DSQL's: a connection lives for 60 minutes, and a transaction for 5, which may begin in the last moment. Source: its documentation. */
const dsql: Pick<Capabilities, "lacks" | "maxAgeMs"> = {
  lacks: ["savepoints", "isolation levels", "advisory locks", "temporary tables", "notifications"],
  maxAgeMs: 54 * 60_000,
};

/** What a target can do, its `serverIdleMs`, what in `host:port` tells it, and where it ends sooner than Postgres does. */
type Target = readonly [can: readonly Ability[], serverIdleMs?: number | null, sign?: RegExp, ends?: typeof dsql];

/**
 * Every target; the first whose sign is there is taken, so the narrower names stand first.
 * Sources: the documentation of Neon (suspend after 5 min), RDS Proxy (client idle 1800 s, no CancelRequest, 0A000 for startup parameters),
 * PgBouncer (client idle 600 s, named statements only since 1.21 and by configuration), Supavisor, Hyperdrive (idle 10 min; nothing is said of
 * CancelRequest, so none is counted on), Aurora DSQL (likewise; what answers is no single server, so its own errors are taken as a pooler's) and
 * PlanetScale. Several calls are put on their way on direct servers alone: PgBouncer 1.18 mixes those
 * of its clients, and others nobody has tried. Every one of them can be overridden by the `target` setting.
 */
export const targets: Readonly<Record<TargetName, Target>> = {
  postgres: [direct],
  "neon-pooler": [["httpSql", "namedStatements", "cancel", "pooled"], 300_000, /-pooler\..+\.neon\.tech:/],
  neon: [["httpSql", ...direct], 300_000, /\.neon\.tech:/],
  "rds-proxy": [["iam", "pooled", "pins"], 1_800_000, /\.proxy-.+\.rds\.amazonaws\.com(\.cn)?:/],
  dsql: [["iam", "pooled", "verifiedTls"], null, /\.dsql(-\w+)?\.[a-z\d-]+\.on\.aws:/, dsql],
  rds: [["iam", ...direct], null, /\.rds\.amazonaws\.com(\.cn)?:/],
  pgbouncer: [["cancel", "pooled"], 600_000],
  "supavisor-transaction": [["cancel", "pooled"], null, /\.pooler\.supabase\.com:6543/],
  "supavisor-session": [["pooled", ...session], null, /\.pooler\.supabase\.com:/],
  hyperdrive: [["namedStatements", "pooled"], 600_000, HYPERDRIVE_HOST],
  planetscale: [["httpSql", ...direct], null, /\.psdb\.cloud:/],
};

/** PlanetScale on port 6432, its pooler's, where the same host can do less. Source: PlanetScale's documentation. */
const pooledPlanetscale: Target = [["httpSql", "cancel", "pooled"]];

/** The target that a host and port tell. */
export function toldTarget({ host, port }: { readonly host: string; readonly port: number }): TargetName | undefined {
  return (Object.keys(targets) as TargetName[]).find((name) => targets[name][2]?.test(`${host.toLowerCase()}:${port}`));
}

/**
 * Tells the target from its host and port; `explicit`, the `target` setting, decides where it is given. A pooler on a host name of its own
 * cannot be told so: name it by `target`, or by `pgbouncer=true` in the URL.
 * @param endpoint the `endpoint` setting: with it SQL over HTTP is spoken, whatever the target.
 */
export function detectTarget(
  address: { readonly host: string; readonly port: number },
  explicit: TargetName | null,
  endpoint: string | null,
): DetectedTarget {
  const { port } = address;
  const host = address.host.toLowerCase();
  const found = toldTarget(address);
  const name = explicit ?? found ?? "postgres";
  const [can, serverIdleMs = null, , { lacks, maxAgeMs } = { lacks: [], maxAgeMs: null }] =
    name === "planetscale" && port === 6432 ? pooledPlanetscale : targets[name];
  const httpSql = endpoint !== null || can.includes("httpSql");
  return {
    name,
    capabilities: { ...capable(can), httpSql, serverIdleMs, lacks, maxAgeMs },
    endpoint: httpSql ? httpEndpoint(host, endpoint) : null,
    reason: explicit ? BY_SETTING : found ? "its host and port tell" : "the host tells nothing else",
  };
}

function capable(can: readonly Ability[]): Readonly<Record<Ability, boolean>> {
  return Object.fromEntries(abilities.map((ability) => [ability, can.includes(ability)])) as Record<Ability, boolean>;
}

/**
 * Neon posts to its region's API host (the first label replaced by `api`) and opens WebSockets on the endpoint's own; others have one host.
 * Source: the driver @neondatabase/serverless 1.2.
 */
function httpEndpoint(host: string, endpoint: string | null): HttpEndpoint {
  const base = endpoint?.replace(/\/+$/, "") ?? `https://${host}`;
  const sqlBase = endpoint === null ? base.replace(/\/\/[^.]+(?=.*\.neon\.tech$)/, "//api") : base;
  return { sqlUrl: `${sqlBase}/sql`, sessionUrl: `${base.replace("http", "ws")}/v2` };
}
