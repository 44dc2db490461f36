import type { DatabaseOptions } from "./options.ts";
import { type PgUrl, readPgUrl } from "./pg-url.ts";
import { handedIn, refusal } from "./refuse.ts";
import { callback, flag, isRecord, milliseconds, printable, type Rule, wholeNumber } from "./rules.ts";
import { type TabledName, table } from "./table.ts";
import { parseUrl } from "./url.ts";

/** What a pool was given, in pg's spelling and ours. */
export interface PoolOptions {
  /** Settings by our names; what is wrong in itself is left to their own check. */
  readonly settings: DatabaseOptions;
  /** What only pg's pool and its clients take, in pg's words. */
  readonly driver: Readonly<Record<string, unknown>>;
  /** `connectionTimeoutMillis`: bounds waiting, and connecting; 0 for no bound. Undefined where it was not given. */
  readonly timeoutMs: number | undefined;
  /** Whether `connectionString` was given with nothing in it: then no variable holds a URL in its place. */
  readonly lacksUrl: boolean;
}

/** What pg calls by another name. */
const renamed: Readonly<Record<string, TabledName>> = {
  idleTimeoutMillis: "idleTimeoutMs",
  application_name: "applicationName",
  options: "startupOptions",
  statement_timeout: "statementTimeoutMs",
  sslnegotiation: "sslNegotiation",
  enableChannelBinding: "channelBinding",
  poolSize: "max",
};

/** What is the same in both, and left out where it is empty, as in pg. */
const shared: ReadonlySet<string> = new Set(["host", "port", "database", "user", "password", "max", "min"]);

/** What counts as left out, unless it is a value of its own. */
const empty: ReadonlySet<unknown> = new Set([null, "", false, 0, Number.NaN]);

const uses = wholeNumber(1, 2 ** 31);

/** What only pg has. */
const driverRules: Readonly<Record<string, Rule>> = {
  lock_timeout: milliseconds(1),
  idle_in_transaction_session_timeout: milliseconds(1),
  query_timeout: milliseconds(1),
  maxLifetimeSeconds: {
    shape: "seconds, from 0 to 2147483",
    fits: (value) => typeof value === "number" && value >= 0 && value <= 2_147_483,
    read: Number,
  },
  maxUses: { ...uses, fits: (value) => value === Number.POSITIVE_INFINITY || uses.fits(value) },
  keepAlive: flag,
  keepAliveInitialDelayMillis: milliseconds(0),
  allowExitOnIdle: flag,
  binary: flag,
  scramMaxIterations: wholeNumber(0, 2 ** 31),
  fallback_application_name: printable,
  onConnect: callback,
  verify: callback,
  log: callback,
  Promise: callback,
  stream: { shape: "a function that gives a stream, or a stream", fits: (value) => callback.fits(value) || isRecord(value) },
};

const ofAnotherDriver = "left out: connections here are clients of pg's own in JavaScript, and no other; for those use pg.Pool";

/** What cannot be kept, in a sentence, and what of it is no more than the default. */
const refused: Readonly<Record<string, readonly [shape: string, isDefault: (value: unknown) => boolean]>> = {
  Client: [ofAnotherDriver, () => false],
  connection: [ofAnotherDriver, () => false],
  native: [ofAnotherDriver, (value) => empty.has(value)],
  replication: ["left out: a replication connection takes no queries, and no pool; use a Client of pg", (value) => empty.has(value)],
  pipeline: ["left out: what follows a BEGIN that failed would stay; pool.query shares connections by itself", (value) => empty.has(value)],
  client_encoding: ["utf8, in which pg reads every text, whatever it is told", (value) => /^(utf-?8|unicode)?$/i.test(String(value ?? ""))],
};

/**
 * Reads what a pool was given, in pg's spelling or ours.
 * @param readFile gives the text of a file, as pg reads certificates.
 * @throws ConfigError for what is given twice, what has another shape, and what cannot be kept
 */
export function readPoolOptions(options: unknown, readFile: (path: string) => string): PoolOptions {
  const given: unknown = typeof options === "string" ? { connectionString: options } : (options ?? {});
  // refused by the check of settings
  if (!isRecord(given)) return { settings: given as DatabaseOptions, driver: {}, timeoutMs: undefined, lacksUrl: false };
  return new Reading(handedIn("options", () => Object.entries(given))).read(readFile);
}

/** One reading of options. */
class Reading {
  readonly #given: Map<string, unknown>;
  readonly #settings: Record<string, unknown> = {};
  readonly #driver: Record<string, unknown> = {};
  /** By setting, how it was written. */
  readonly #writtenAs = new Map<string, string>();

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.#given = new Map(entries);
  }

  read(readFile: (path: string) => string): PoolOptions {
    const written = this.#given.get("connectionString");
    const lacksUrl = this.#given.has("connectionString") && (written === undefined || empty.has(written));
    let timeoutMs: number | undefined;
    for (const [name, value] of this.#given) {
      if (name === "connectionString") continue;
      // left out; a url given as undefined is missing
      if (value === undefined && (name !== "url" || this.#given.has("connectionString"))) continue;
      if (name === "ssl") this.#takeTls(value);
      else if (name !== "connectionTimeoutMillis") this.#take(name, value);
      else {
        for (const ours of ["acquireTimeoutMs", "connectTimeoutMs"]) this.#claim(ours, name);
        timeoutMs = checked(name, milliseconds(0), value ?? 0) as number;
      }
    }
    if (!lacksUrl && written !== undefined) {
      if (typeof written !== "string") parseUrl(written, "connectionString");
      this.#takeUrl(readPgUrl(written as string, readFile));
    }
    return { settings: this.#settings as DatabaseOptions, driver: this.#driver, timeoutMs, lacksUrl };
  }

  #take(name: string, value: unknown): void {
    const rule = driverRules[name];
    if (Object.hasOwn(refused, name)) {
      const [shape, isDefault] = refused[name] as (typeof refused)[string];
      if (!isDefault(value)) throw refusal(name, shape);
    } else if (Object.hasOwn(renamed, name)) this.#set(renamed[name] as TabledName, value, name);
    else if (shared.has(name)) this.#set(name as TabledName, value, name);
    else if (name === "types" && typeof (value as { getTypeParser?: unknown } | null)?.getTypeParser === "function") {
      this.#driver.types = value;
    } else if (!Object.hasOwn(driverRules, name) || rule === undefined) {
      this.#claim(name, name);
      this.#settings[name] = value;
    } else if (rule.fits(value) || !empty.has(value)) {
      if (name === "maxLifetimeSeconds") this.#claim("lifetimeMs", name);
      this.#driver[name] = checked(name, rule, value);
    }
  }

  /** Takes a setting under another name. */
  #set(ours: TabledName, value: unknown, name: string): void {
    const [rule] = table[ours];
    const read = name === "enableChannelBinding" ? (bindings.get(value) ?? value) : name === "idleTimeoutMillis" ? (value ?? 0) : value;
    if (read === undefined || (empty.has(read) && !rule.fits(read))) return;
    this.#claim(ours, name);
    this.#settings[ours] = typeof read === "string" && rule.read ? checked(name, rule, read) : read;
  }

  #takeTls(ssl: unknown): void {
    for (const ours of ["sslMode", "ca"]) this.#claim(ours, "ssl");
    if (isRecord(ssl)) this.#driver.ssl = ssl;
    const isTls = isRecord(ssl) || ssl === true || ssl === "true";
    if (!isTls && ssl !== "no-verify" && !empty.has(ssl)) throw refusal("ssl", "true, false, or options of Node's TLS");
    const isVerified = !isRecord(ssl) || ssl.rejectUnauthorized !== false;
    this.#settings.sslMode = isTls ? (isVerified ? "verify-full" : "no-verify") : ssl || "disable";
  }

  /** What a connection string says is said there alone: pg takes it from there, whatever else it is told, and this package does not. */
  #takeUrl({ url, options, tls }: PgUrl): void {
    const parts: Readonly<Record<string, unknown>> = url === undefined ? {} : parseUrl(url, "connectionString");
    for (const ours of ["url", ...Object.keys(parts)]) {
      const differs = parts[ours] !== this.#settings[ours] || ours === "url";
      if (differs && !(ours === "sslMode" && verifies(parts[ours]) && verifies(this.#settings[ours])) && this.#writtenAs.has(ours))
        throw twice(this.#writtenAs.get(ours) as string, "connectionString");
    }
    if (url !== undefined) this.#settings.url = url;
    for (const [name, value] of Object.entries(options)) {
      if (this.#given.get(name) !== undefined || this.#writtenAs.has(name)) {
        throw twice(this.#writtenAs.get(name) ?? name, "connectionString");
      }
      this.#take(name, value);
    }
    if (Object.keys(tls).length > 0) {
      if (this.#given.get("ssl") !== undefined) throw twice("ssl", "connectionString");
      this.#driver.ssl = tls;
    }
  }

  /** Notes how a setting was written. @throws ConfigError where it was written in another way before */
  #claim(ours: string, name: string): void {
    const before = this.#writtenAs.get(ours);
    if (before !== undefined) throw twice(ours === name ? name : before, ours === name ? before : name);
    this.#writtenAs.set(ours, name);
  }
}

const verifies = (mode: unknown): boolean => mode !== "disable" && mode !== "no-verify";

const bindings: ReadonlyMap<unknown, unknown> = new Map<unknown, unknown>([
  [true, "prefer"],
  [false, "disable"],
]);

/** A value that fits; a text of digits stands for its number, as it comes from a variable. */
function checked(name: string, rule: Rule, value: unknown): unknown {
  const read = typeof value === "string" && rule.read ? rule.read(value) : value;
  if (!rule.fits(read)) throw refusal(name, rule.shape);
  return read;
}

function twice(name: string, already: string): Error {
  return refusal(name, `left out: ${already} says it already`);
}
