import { type Address, completeAddress, directAddress } from "./address.ts";
import type { DatabaseOptions, TransportName } from "./options.ts";
import { invalidSetting, missingSetting } from "./refuse.ts";
import type { RuntimeName } from "./runtime.ts";
import { type Parts, readSpelling, spellings } from "./spellings.ts";
import type { TargetName } from "./target.ts";
import { parseUrl } from "./url.ts";

export type { Address } from "./address.ts";
export { checkOptions } from "./check.ts";
export type { DatabaseOptions, PasswordSource, TransportName } from "./options.ts";
export type { TlsChoice } from "./tls.ts";

/** Every setting, validated and complete. Frozen, with the password wrapped. */
export interface Settings {
  readonly name: string | null;
  readonly address: Address;
  /** The way around a pooler, for `script`; null where none is given. */
  readonly directAddress: Address | null;
  /** Base address of SQL over HTTP, without a slash at the end; null where none is given. */
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
  /** 0 for no limit. */
  readonly lifetimeMs: number;
  readonly connectTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  /** Infinity for no deadline. */
  readonly deadlineMs: number;
  readonly statementTimeoutMs: number | null;
  readonly types: Readonly<Record<number, (text: string) => unknown>>;
  /** What the user should know and nothing refuses: said once. */
  readonly warnings: readonly string[];
}

/**
 * What holds where nobody says otherwise; null leaves it to the plan, or to the server. Bounds are short enough for a request to be answered,
 * and long enough for a database to wake up; half an hour of life is long against a connect, and short against a failover nobody noticed.
 */
export const defaults = {
  name: null,
  endpoint: null,
  applicationName: "warmline",
  startupOptions: null,
  runtime: null,
  target: null,
  transport: null,
  max: null,
  min: 0,
  idleTimeoutMs: null,
  lifetimeMs: 1_800_000,
  connectTimeoutMs: 5_000,
  acquireTimeoutMs: 5_000,
  deadlineMs: 30_000,
  statementTimeoutMs: null,
  types: {},
} as const satisfies Partial<Settings>;

/**
 * Completes checked options from the environment: options first, then the URL (the `url` option, or else `DATABASE_URL`, never both), then
 * the `PG*` variables, then the defaults. A piece that is missing in one is taken from the next. An empty variable counts as not set.
 * @param options as {@link checkOptions} gives them.
 * @throws {ConfigError} for what only the environment can tell: no host, user or database, a broken variable, choices that do not go together.
 */
export function resolveSettings(options: DatabaseOptions, env: Readonly<Record<string, string | undefined>>): Settings {
  const fromEnv = !("url" in options);
  if (!fromEnv && options.url === undefined && options.host === undefined) {
    throw missingSetting("url", "it was given as undefined; leave it out to use DATABASE_URL");
  }
  const url = fromEnv ? env.DATABASE_URL || undefined : options.url;
  const parts: Parts = url === undefined ? {} : parseUrl(url, fromEnv ? "DATABASE_URL" : "url");
  const given: Parts & DatabaseOptions = { ...environmentParts(env, { ...parts, ...options }), ...parts, ...options };
  if (url === undefined && given.host === undefined) {
    throw missingSetting("DATABASE_URL", "set it, or give the option url or host");
  }
  const { address, warnings } = completeAddress(given);
  const { directUrl } = options;
  const direct = directUrl === undefined ? null : directAddress({ ...options, directUrl }, address);
  const {
    url: _url,
    directUrl: _directUrl,
    host,
    port,
    database,
    user,
    password,
    sslMode,
    sslNegotiation,
    channelBinding,
    ca,
    ...rest
  } = given;
  const settings = { ...defaults, ...rest };
  return Object.freeze({
    ...settings,
    address,
    directAddress: direct?.address ?? null,
    endpoint: settings.endpoint?.replace(/\/+$/, "") ?? null,
    deadlineMs: settings.deadlineMs === 0 ? Number.POSITIVE_INFINITY : settings.deadlineMs,
    types: Object.freeze({ ...settings.types }),
    warnings: Object.freeze([...new Set([...warnings, ...(direct?.warnings ?? [])])]),
  }) as Settings;
}

/** The variables that are needed: one whose setting was given elsewhere is not read, and may be broken. */
function environmentParts(env: Readonly<Record<string, string | undefined>>, given: Parts): Parts {
  const parts: Record<string, unknown> = {};
  for (const spelling of spellings) {
    const written = spelling.env === null ? undefined : env[spelling.env];
    if (spelling.env === null || !written || given[spelling.option] !== undefined) continue;
    const read = readSpelling(spelling, written);
    if ("problem" in read) throw invalidSetting(spelling.env, `it ${read.problem}`);
    parts[spelling.option] = read.value;
  }
  return parts;
}
