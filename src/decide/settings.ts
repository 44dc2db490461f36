import { type Address, completeAddress, directAddress } from "./address.ts";
import { frozen } from "./frozen.ts";
import type { DatabaseOptions, HeldPool, TransportName } from "./options.ts";
import { refusal } from "./refuse.ts";
import type { RuntimeName } from "./runtime.ts";
import { callTable, complete, type GivenSettings, readWritten, rows, type TabledName } from "./table.ts";
import { type TargetName, toldTarget } from "./target.ts";
import { type ParsedUrl, parseUrl } from "./url.ts";

/** Variables of libpq that mean something, and are not read. Source: PostgreSQL documentation, "Environment Variables". */
const unread = /^PG(SERVICE|PASSFILE|HOSTADDR|TZ|DATESTYLE|REQUIRE|SSLCRL|SSLM[AI]|LOADB|GSS|KRB)/;

export type { Address } from "./address.ts";
export { checkOptions } from "./check.ts";
export type { DatabaseOptions, HeldPool, PasswordSource } from "./options.ts";

/** Every setting, validated and complete. Frozen, with the password wrapped. */
export interface Settings {
  readonly name: string | null;
  readonly address: Address;
  /** The way around a pooler, for `script`; null where none is given. */
  readonly directAddress: Address | null;
  /** Base address of SQL over HTTP; null where none is given. */
  readonly endpoint: string | null;
  readonly applicationName: string;
  readonly startupOptions: string | null;
  readonly runtime: RuntimeName | null;
  readonly target: TargetName | null;
  readonly transport: TransportName | null;
  readonly max: number | null;
  readonly min: number;
  /** 0 for no idle timer; null leaves it to the plan. */
  readonly idleTimeoutMs: number | null;
  /** 0 for no limit; null leaves it to the plan. */
  readonly lifetimeMs: number | null;
  readonly connectTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly maxWaiting: number;
  /** Null for never. */
  readonly leakThresholdMs: number | null;
  readonly release: "keep" | "after-invocation";
  /** Null leaves it to the entry. */
  readonly warmUp: boolean | null;
  readonly idleSessionTimeoutMs: number | null;
  /** 0 for no deadline; null leaves it to the plan. */
  readonly deadlineMs: number | null;
  /** Null leaves it to the transport. */
  readonly maxResponseBytes: number | null;
  readonly statementTimeoutMs: number | null;
  readonly prepare: boolean;
  readonly pipelining: boolean;
  readonly earlyStatement: boolean;
  /** Null for never. */
  readonly slowQueryMs: number | null;
  readonly sqlCommenter: ((text: string) => string) | null;
  readonly types: Readonly<Record<string, (text: string) => unknown>>;
  readonly onPool: ((pool: HeldPool) => void) | null;
  /** What should be known of what was given, and nothing refuses. */
  readonly warnings: readonly string[];
  /** Read by the entry, which leaves these two out: they decide where the others are found. */
  readonly tcp: null;
  readonly env: null;
}

/** Settings that stand in their own table, before those of an address are made into one. */
type CallSettings = Omit<Settings, "address" | "directAddress" | "warnings">;

const noUrl: ParsedUrl = { given: {}, leftOut: [] };

/** Where platforms put a database's URL. Sources: the documentation of Vercel, Neon, Netlify, Supabase, Railway, Scalingo and Payload. */
export const platformVariables = [
  "POSTGRES_URL",
  "NETLIFY_DATABASE_URL",
  "NETLIFY_DB_URL",
  "NEON_DATABASE_URL",
  "SUPABASE_DB_URL",
  "DATABASE_PRIVATE_URL",
  "DATABASE_PUBLIC_URL",
  "POSTGRES_PRISMA_URL",
  "POSTGRESQL_URL",
  "POSTGRES_URI",
  "DATABASE_URI",
  "PG_URL",
];

/** Every variable that is read for a setting, or to say what else is there. */
export const settingVariables: readonly string[] = [
  "DATABASE_URL",
  ...platformVariables,
  ...rows.flatMap(([, [, , variable]]) => variable ?? []),
];

/**
 * Completes checked options from the environment: options first, then the URL (the `url` option, or else `DATABASE_URL`, never both), then
 * the `PG*` variables, then the defaults. A piece that is missing in one is taken from the next. An empty variable counts as not set.
 * @param options as {@link checkOptions} gives them.
 * @throws {ConfigError} for what only the environment can tell: no host, user or database, a broken variable, choices that do not go together.
 */
export function resolveSettings(options: DatabaseOptions, env: Readonly<Record<string, string | undefined>>): Settings {
  const ownUrl = "url" in options;
  const source = ownUrl ? "url" : "DATABASE_URL";
  const url = ownUrl ? options.url : env.DATABASE_URL || undefined;
  const { given: parts, leftOut } = url === undefined ? noUrl : parseUrl(url, source);
  const given: Partial<Record<TabledName, unknown>> = { ...parts, ...options };
  for (const [name, [, , variable]] of rows) {
    const written = variable && env[variable];
    // the variable of a setting that was given elsewhere is not read, and may be broken
    if (written) given[name] ??= readWritten(name, written, { setting: variable });
  }
  if (url === undefined && (ownUrl ? options : given).host === undefined) {
    const other = platformVariables.find((name) => env[name]);
    const instead = other ? `, such as url: process.env.${other}, which is set` : env.PGSERVICE ? "; PGSERVICE is not read" : "";
    throw refusal(source, ownUrl ? "text; leave it out to use DATABASE_URL" : `set; or give the option url or host${instead}`, {
      code: "MISSING_SETTING",
    });
  }
  const others = Object.keys(env).filter((name) => env[name] && unread.test(name));
  const address = completeAddress(given as GivenSettings);
  // pgbouncer=true is said of what nothing else is known of: many guides add it whatever the host
  if (options.target === undefined && toldTarget(address) !== undefined) delete given.target;
  const settings = complete(callTable, given as GivenSettings) as unknown as CallSettings;
  return frozen({
    ...settings,
    address,
    directAddress: options.directUrl === undefined ? null : directAddress(options.directUrl, address, options),
    types: { ...settings.types },
    warnings: [
      ...said(leftOut, `Left out of ${source}`, "They are for other clients, or there is no choice of them here."),
      ...said(others, "Variables that are not read", "Write what they stand for as options or in the URL."),
    ],
  });
}

function said(names: readonly string[], what: string, why: string): readonly string[] {
  return names.length === 0 ? [] : [`${what}: ${names.join(", ")}. ${why}`];
}
