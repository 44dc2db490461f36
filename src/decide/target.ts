import { endpointUnder } from "./endpoint-url.ts";

/** What stands at the other end. */
export type TargetName =
  | "postgres"
  | "neon"
  | "neon-pooler"
  | "rds"
  | "rds-proxy"
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
  /** Whether it takes `options` and `statement_timeout` at login. */
  readonly startupParameters: boolean;
  /** Whether SET, LISTEN and session locks stay with the connection. */
  readonly sessionState: boolean;
  /** Whether a CancelRequest reaches the statement. */
  readonly cancel: boolean;
  /** Whether it takes IAM tokens for passwords. */
  readonly iam: boolean;
  /** Whether a pooler stands between: its own 58xxx and XXxxx errors say nothing about the statement. */
  readonly pooled: boolean;
  /** After how many idle milliseconds it closes a connection; null where it keeps them, or nobody says. */
  readonly serverIdleMs: number | null;
}

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

const direct: Capabilities = {
  httpSql: false,
  namedStatements: true,
  startupParameters: true,
  sessionState: true,
  cancel: true,
  iam: false,
  pooled: false,
  serverIdleMs: null,
};
const transactionPooler: Capabilities = { ...direct, namedStatements: false, startupParameters: false, sessionState: false, pooled: true };

/**
 * What every target can do.
 * Sources: the documentation of Neon (suspend after 5 min), RDS Proxy (client idle 1800 s, no CancelRequest, 0A000 for startup parameters),
 * PgBouncer (client idle 600 s, named statements only since 1.21 and by configuration), Supavisor, Hyperdrive (idle 10 min; nothing is said of
 * CancelRequest, so none is counted on) and PlanetScale. Every one of them can be overridden by the `target` setting.
 */
export const targets: Readonly<Record<TargetName, Capabilities>> = {
  postgres: direct,
  neon: { ...direct, httpSql: true, serverIdleMs: 300_000 },
  "neon-pooler": { ...transactionPooler, httpSql: true, namedStatements: true, serverIdleMs: 300_000 },
  rds: { ...direct, iam: true },
  "rds-proxy": { ...transactionPooler, cancel: false, iam: true, serverIdleMs: 1_800_000 },
  pgbouncer: { ...transactionPooler, serverIdleMs: 600_000 },
  "supavisor-transaction": transactionPooler,
  "supavisor-session": { ...direct, pooled: true },
  hyperdrive: { ...transactionPooler, namedStatements: true, cancel: false, serverIdleMs: 600_000 },
  planetscale: { ...direct, httpSql: true },
};

/** PlanetScale's port of the pooler, behind which the same host can do less. Source: PlanetScale's documentation. */
const PLANETSCALE_POOLED_PORT = 6432;

interface Sign {
  readonly name: TargetName;
  readonly host: RegExp;
  readonly port?: number;
}

/** Host names that tell the target, in the order they are looked at. */
const signs: readonly Sign[] = [
  { name: "hyperdrive", host: /\.hyperdrive\.local$/ },
  { name: "neon-pooler", host: /^[^.]+-pooler\..+\.neon\.tech$/ },
  { name: "neon", host: /\.neon\.tech$/ },
  { name: "rds-proxy", host: /\.proxy-[^.]+\.[^.]+\.rds\.amazonaws\.com(\.cn)?$/ },
  { name: "rds", host: /\.rds\.amazonaws\.com(\.cn)?$/ },
  { name: "supavisor-transaction", host: /\.pooler\.supabase\.com$/, port: 6543 },
  { name: "supavisor-session", host: /\.pooler\.supabase\.com$/ },
  { name: "planetscale", host: /\.psdb\.cloud$/ },
];

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
  const host = address.host.toLowerCase();
  const found = signs.find((sign) => sign.host.test(host) && (sign.port ?? address.port) === address.port);
  const name = explicit ?? found?.name ?? "postgres";
  const pooled = name === "planetscale" && address.port === PLANETSCALE_POOLED_PORT;
  const base = pooled ? { ...transactionPooler, httpSql: true } : targets[name];
  const capabilities = Object.freeze({ ...base, httpSql: base.httpSql || endpoint !== null });
  const reason =
    explicit !== null ? "the settings say so" : found ? "its host name and port tell" : "the host is of no known pooler or provider";
  return { name, capabilities, endpoint: capabilities.httpSql ? httpEndpoint(host, endpoint) : null, reason };
}

/**
 * Neon posts to its region's API host (the first label replaced by `api`) and opens WebSockets on the endpoint's own; others have one host.
 * Source: the driver @neondatabase/serverless 1.2.
 */
function httpEndpoint(host: string, endpoint: string | null): HttpEndpoint {
  if (endpoint !== null) return endpointUnder(endpoint);
  const apiHost = host.endsWith(".neon.tech") ? host.replace(/^[^.]+/, "api") : host;
  return Object.freeze({ sqlUrl: `https://${apiHost}/sql`, sessionUrl: `wss://${host}/v2` });
}
