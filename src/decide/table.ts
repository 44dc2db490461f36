import { type DatabaseOptions, sessionAttrs, sslModes, transportNames } from "./options.ts";
import { refusal } from "./refuse.ts";
import {
  awsRegion,
  callback,
  certificates,
  endpoint,
  flag,
  host,
  milliseconds,
  oneOf,
  parsers,
  password,
  pgbouncerFlag,
  port,
  printable,
  privateKey,
  type Rule,
  record,
  rootCertificates,
  text,
  wholeNumber,
  writtenFlag,
  writtenInSeconds,
} from "./rules.ts";
import { targets } from "./target.ts";

/** What a text can hold at most, characters: as many bytes make no longer one. Source: V8's sources, String::kMaxLength. */
export const LONGEST_TEXT = 536_870_888;

/**
 * What a setting accepts, what holds where nobody gives it, its environment variable and its URL parameter; with a rule of its own where
 * the parameter or variable is written in another way than the option.
 */
export type Row = readonly [rule: Rule, initial?: unknown, variable?: string | null, parameter?: string | null, written?: Rule];

/**
 * Settings that make an address.
 * Source of the variables and parameters: PostgreSQL documentation, libpq.
 */
export const addressTable = {
  host: [host, null, "PGHOST", "host"],
  port: [port, 5432, "PGPORT", "port"],
  targetSessionAttrs: [oneOf(sessionAttrs), "any", "PGTARGETSESSIONATTRS", "target_session_attrs"],
  database: [text, null, "PGDATABASE"],
  user: [text, null, "PGUSER"],
  password: [password, null, "PGPASSWORD"],
  sslMode: [oneOf(sslModes, " (for allow and prefer, write require)"), null, "PGSSLMODE", "sslmode"],
  sslNegotiation: [oneOf(["postgres", "direct"]), "postgres", "PGSSLNEGOTIATION", "sslnegotiation"],
  channelBinding: [oneOf(["disable", "prefer", "require"]), "disable", "PGCHANNELBINDING", "channel_binding"],
  ca: [certificates, null, "PGSSLROOTCERT", "sslrootcert", rootCertificates],
  cert: [certificates, null, "PGSSLCERT", "sslcert"],
  key: [privateKey, null, "PGSSLKEY", "sslkey"],
  auth: [oneOf(["iam", "password"])],
  region: [awsRegion],
} as const satisfies Readonly<Record<string, Row>>;

/**
 * All other settings. Null leaves it to the plan, or to the server. The times are short enough for a request to be answered, and long enough
 * for a database to wake up; half an hour of life is long against a connect, and short against a failover nobody noticed.
 */
export const callTable = {
  name: [text],
  endpoint: [endpoint, null, "WARMLINE_ENDPOINT"],
  applicationName: [printable, "warmline", "PGAPPNAME", "application_name"],
  startupOptions: [text, null, "PGOPTIONS", "options"],
  // each entry of the package knows the names it takes
  runtime: [text],
  target: [oneOf(Object.keys(targets)), null, null, "pgbouncer", pgbouncerFlag],
  transport: [oneOf(transportNames)],
  max: [wholeNumber(1, 10_000)],
  min: [wholeNumber(0, 10_000), 0],
  idleTimeoutMs: [milliseconds(0)],
  lifetimeMs: [milliseconds(0)],
  connectTimeoutMs: [milliseconds(1), 5_000, "PGCONNECT_TIMEOUT", "connect_timeout", writtenInSeconds],
  acquireTimeoutMs: [milliseconds(1), 5_000],
  maxWaiting: [wholeNumber(0, 1_000_000), 10_000],
  leakThresholdMs: [milliseconds(1)],
  release: [oneOf(["keep", "after-invocation"]), "keep"],
  warmUp: [flag],
  idleSessionTimeoutMs: [milliseconds(1)],
  deadlineMs: [milliseconds(0)],
  maxResponseBytes: [wholeNumber(1, LONGEST_TEXT)],
  statementTimeoutMs: [milliseconds(1), null, null, "statement_timeout"],
  prepare: [flag, true, null, null, writtenFlag],
  pipelining: [flag, true],
  earlyStatement: [flag, false],
  slowQueryMs: [milliseconds(1)],
  sqlCommenter: [callback],
  types: [parsers, {}],
  tcp: [callback],
  onPool: [callback],
  env: [record],
} as const satisfies Readonly<Record<string, Row>>;

/** A setting that is in one of the tables: all but `url` and `directUrl`. */
export type TabledName = keyof typeof addressTable | keyof typeof callTable;

/** Settings as read from one place. */
export type GivenSettings = Partial<Pick<DatabaseOptions, TabledName>>;

/** Both tables. */
export const table: Readonly<Record<TabledName, Row>> = { ...addressTable, ...callTable };

/** The rows of both tables. */
export const rows = Object.entries(table) as [TabledName, Row][];

/** Every setting of a table, given or by default. */
export function complete(part: Readonly<Record<string, Row>>, given: GivenSettings): Record<string, unknown> {
  return Object.fromEntries(Object.entries(part).map(([name, [, initial = null]]) => [name, given[name as TabledName] ?? initial]));
}

/**
 * What a text of the environment or of a URL means for a setting; undefined for a flag that is off.
 * @param place the variable; or the URL's setting, and the piece within.
 * @throws {ConfigError} where it does not fit.
 */
export function readWritten(name: TabledName, written: string, place: { readonly setting: string; readonly piece?: string }): unknown {
  const [usual, , , , rule = usual] = table[name];
  const value = rule.read ? rule.read(written) : written;
  if (!rule.fits(value)) throw refusal(place.setting, rule.shape, place);
  return value;
}
