import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { runtimeNames } from "../../src/decide/detect-runtime.ts";
import { checkOptions, resolveSettings } from "../../src/decide/settings.ts";
import { chooseTls } from "../../src/decide/tls.ts";
import { ConfigError } from "../../src/errors/errors.ts";

const CANARY = "cAnArY9173";

interface BadInput {
  readonly title: string;
  readonly options?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly setting: string;
  /** What the message must say to do. */
  readonly remedy: RegExp;
  /** Pieces of the value that must not be shown. */
  readonly hidden?: readonly string[];
  readonly code?: string;
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

function expectRefusal(row: BadInput, error: unknown): void {
  expect(error).toBeInstanceOf(ConfigError);
  const refusal = error as ConfigError;
  expect(refusal.setting).toBe(row.setting);
  expect(refusal.code).toBe(row.code ?? "INVALID_SETTING");
  expect(refusal.fate).toBe("not-sent");
  expect(refusal.message).toMatch(row.remedy);
  if (row.code !== "UNKNOWN_SETTING") expect(refusal.message).toContain(row.setting);
  for (const shown of [refusal.message, refusal.stack ?? "", inspect(refusal, { depth: 9, showHidden: true }), JSON.stringify(refusal)]) {
    for (const secret of [CANARY, ...(row.hidden ?? [])]) expect(shown).not.toContain(secret);
  }
}

const url = (title: string, value: unknown, remedy: RegExp, more: Partial<BadInput> = {}): BadInput => ({
  title: `url: ${title}`,
  options: { url: value },
  setting: "url",
  remedy,
  ...more,
});
const unknownParameter = { code: "UNKNOWN_SETTING" } as const;

const brokenUrls: readonly BadInput[] = [
  url("an empty text", "", /like postgres:\/\//),
  url("a number", 917_355, /like postgres:\/\//, { hidden: ["917355"] }),
  url("null", null, /like postgres/),
  url("a URL object", new URL(`https://u:${CANARY}@host/db`), /like postgres/),
  url("the scheme of MySQL", `mysql://u:${CANARY}@host/db`, /postgres:\/\//),
  url("the scheme of the web", `https://u:${CANARY}@host/db`, /postgres:\/\//),
  url("no scheme", `u:${CANARY}@host/db`, /postgres:\/\//),
  url("one slash", `postgres:/u:${CANARY}@host/db`, /postgres:\/\//),
  url("quotes around it", `"postgres://u:${CANARY}@host/db"`, /quotes/),
  url("a space at the end", `postgres://u:${CANARY}@host/db `, /without the line break or space/),
  url("a space in the password", `postgres://u:${CANARY} x@host/db`, /percent-encoded/),
  url("a line break", `postgres://u:${CANARY}@host/db\n`, /without the line break or space/),
  url("a tab", `postgres://u:\t${CANARY}@host/db`, /percent-encoded/),
  url("half a surrogate pair", `postgres://u:${CANARY}\ud800@host/db`, /well-formed/),
  url("an @ in the password", `postgres://u:${CANARY}@x@host/db`, /%40/),
  url("a / in the password", `postgres://u:${CANARY}/x@host/db`, /percent-encoded/),
  url("a ? in the password", `postgres://u:${CANARY}?x@host/db`, /percent-encoded/),
  url("a # in the password", `postgres://u:${CANARY}#x@host/db`, /percent-encoded/),
  url("a lone % in the password", `postgres://u:${CANARY}%zz@host/db`, /%25/),
  url("a lone % at the end of the user", `postgres://${CANARY}%:p@host/db`, /%25/),
  url("bytes that are no UTF-8", `postgres://u:${CANARY}%ff@host/db`, /percent-encoded/),
  url("a lone % in the database", `postgres://u@host/${CANARY}%`, /%25/),
  url("a NUL in the password", `postgres://u:${CANARY}%00@host/db`, /without NUL/),
  url("a NUL in the database", `postgres://u@host/${CANARY}%00`, /without NUL/),
  url("port 99999", "postgres://u@host:99999/db", /from 1 to 65535/, { hidden: ["99999"] }),
  url("port 0", "postgres://u@host:0/db", /from 1 to 65535/),
  url("a negative port", "postgres://u@host:-4321/db", /from 1 to 65535/, { hidden: ["4321"] }),
  url("a port in letters", `postgres://u@host:${CANARY}/db`, /host:port/),
  url("an empty port", "postgres://u@host:/db", /host:port/),
  url("a password where the port is", `postgres://u:${CANARY}`, /host:port/),
  url("an IPv6 address without brackets", "postgres://u@fe80::9173:1/db", /IPv6 in brackets/, { hidden: ["9173"] }),
  url("brackets that stay open", "postgres://u@[fe80::9173/db", /IPv6 in brackets/, { hidden: ["9173"] }),
  url("brackets around a name", `postgres://u@[${CANARY}]/db`, /IPv6/),
  url("an empty one of several hosts", `postgres://u:${CANARY}@a,,b/db`, /host in url must be/),
  url("several hosts, one with a broken port", `postgres://u:${CANARY}@a:1,b:99173/db`, /port in url must be/, { hidden: ["99173"] }),
  url("several hosts with a port in letters", `postgres://u@a,b:${CANARY}/db`, /host:port/),
  url("a server that is asked for by another word", `postgres://u@a,b/db?target_session_attrs=${CANARY}`, /read-write.*prefer-standby/),
  url("a host with a space", `postgres://u@${CANARY}%20x/db`, /one host name/),
  url("an IPv4 address out of range", "postgres://u@10.0.0.999/db", /IP address/, { hidden: ["999"] }),
  url("an IPv4 address that begins out of range", "postgres://u@999.0.0.1/db", /IP address/, { hidden: ["999"] }),
  url("a host with two dots", `postgres://u@${CANARY}..example/db`, /one host name/),
  url("a host that is not ASCII", "postgres://u@größe.example/db", /xn--/, { hidden: ["größe"] }),
  url("a second path segment", `postgres://u@host/db/${CANARY}`, /percent-encoded/),
  url(
    "an unknown parameter",
    `postgres://u@host/db?sslmodus=${CANARY}`,
    /one of those known here: host, port, .*sslmode/,
    unknownParameter,
  ),
  url("a word for ssl that is none", `postgres://u@host/db?ssl=${CANARY}`, /ssl in url must be one of disable/),
  url("a password as a parameter that is broken", `postgres://u@host/db?password=${CANARY}%00`, /password in url must be .*without NUL/),
  url("a service file", `postgres://u@host/db?service=${CANARY}`, /known here: /, unknownParameter),
  url("a parameter whose name is a text", `postgres://u@host/db?${CANARY}%20!=1`, /known here: /, unknownParameter),
  url("a parameter twice", `postgres://u@host/db?options=${CANARY}&options=b`, /leave one out/),
  url("sslmode prefer", "postgres://u@host/db?sslmode=prefer", /write require/),
  url("sslmode allow", "postgres://u@host/db?sslmode=allow", /write require/),
  url("an unknown sslmode", `postgres://u@host/db?sslmode=${CANARY}`, /one of disable, no-verify/),
  url("an empty sslmode", "postgres://u@host/db?sslmode=", /one of disable/),
  url("an unknown sslnegotiation", `postgres://u@host/db?sslnegotiation=${CANARY}`, /postgres, direct/),
  url("an unknown channel_binding", `postgres://u@host/db?channel_binding=${CANARY}`, /disable, prefer, require/),
  url("connect_timeout in words", `postgres://u@host/db?connect_timeout=${CANARY}`, /whole number of seconds/),
  url("connect_timeout 0", "postgres://u@host/db?connect_timeout=0", /from 1 to/),
  url("a negative statement_timeout", "postgres://u@host/db?statement_timeout=-9173", /from 1 to/, { hidden: ["9173"] }),
  url("statement_timeout with a unit", "postgres://u@host/db?statement_timeout=9173ms", /whole number/, { hidden: ["9173"] }),
  url("pgbouncer=yes", `postgres://u@host/db?pgbouncer=${CANARY}`, /true or false/),
  url("an application name that is too long", `postgres://u@host/db?application_name=${CANARY.repeat(7)}`, /1 to 63/),
  url("a broken escape in a parameter", `postgres://u@host/db?options=${CANARY}%`, /%25/),
  { title: "a text in place of the options", options: `mysql://${CANARY}`, setting: "url", remedy: /postgres:\/\// },
  {
    title: "directUrl: another scheme",
    options: { directUrl: `https://u:${CANARY}@host/db` },
    setting: "directUrl",
    remedy: /postgres:\/\//,
  },
];

const option = (name: string, value: unknown, remedy: RegExp, hidden: readonly string[] = []): BadInput => ({
  title: `${name}: ${typeof value === "string" ? "a text that does not fit" : inspect(value, { depth: 0 })}`,
  options: { [name]: value },
  setting: name,
  remedy,
  hidden,
});

const times = ["idleTimeoutMs", "lifetimeMs", "connectTimeoutMs", "acquireTimeoutMs", "deadlineMs", "statementTimeoutMs"] as const;

const brokenOptions: readonly BadInput[] = [
  { title: "options: null", options: null, setting: "options", remedy: /a URL, an object or left out/ },
  { title: "options: a number", options: 917_355, setting: "options", remedy: /a URL, an object/, hidden: ["917355"] },
  { title: "options: an array", options: [CANARY], setting: "options", remedy: /a URL, an object/ },
  { title: "options: a function", options: () => CANARY, setting: "options", remedy: /a URL, an object/ },
  {
    title: "an option misspelt",
    options: { maxx: CANARY },
    setting: "maxx",
    remedy: /known here: url, directUrl.* max,/,
    code: "UNKNOWN_SETTING",
  },
  {
    title: "an option of pg",
    options: { connectionTimeoutMillis: CANARY },
    setting: "connectionTimeoutMillis",
    remedy: /written as connectTimeoutMs/,
    code: "UNKNOWN_SETTING",
  },
  {
    title: "pg's connectionString",
    options: { connectionString: CANARY },
    setting: "connectionString",
    remedy: /written as url/,
    code: "UNKNOWN_SETTING",
  },
  {
    title: "a transposed option",
    options: { prot: 9173 },
    setting: "prot",
    remedy: /known here:.* port/,
    code: "UNKNOWN_SETTING",
    hidden: ["9173"],
  },
  {
    title: "a URL as an option's name",
    options: { [`postgres://u:${CANARY}@h/d`]: 1 },
    setting: "options",
    remedy: /known here: /,
    code: "UNKNOWN_SETTING",
  },
  {
    title: "__proto__ as an option",
    options: JSON.parse(`{"__proto__": "${CANARY}"}`),
    setting: "options",
    remedy: /known here: /,
    code: "UNKNOWN_SETTING",
  },
  option("max", 0, /from 1 to 10000/),
  option("max", Number.NaN, /whole number/, ["NaN"]),
  option("max", Number.POSITIVE_INFINITY, /whole number/, ["Infinity"]),
  option("max", -9173, /whole number/, ["9173"]),
  option("max", 2.5173, /whole number/, ["2.5173"]),
  option("max", "917", /whole number/, ["917"]),
  option("max", 91_730, /whole number/, ["91730"]),
  option("max", null, /whole number/),
  option("max", 10n, /whole number/),
  option("min", -1, /from 0 to 10000/),
  { title: "min above max", options: { min: 917, max: 173 }, setting: "min", remedy: /lower min or raise max/, hidden: ["917", "173"] },
  ...times.flatMap((name) => [
    option(name, -9173, /whole number/, ["9173"]),
    option(name, Number.NaN, /whole number/, ["NaN"]),
    option(name, 9173.5, /whole number/, ["9173"]),
    option(name, Number.POSITIVE_INFINITY, /whole number/, ["Infinity"]),
    option(name, 2 ** 31, /whole number/, ["2147483648"]),
    option(name, "9173", /whole number/, ["9173"]),
  ]),
  option("connectTimeoutMs", 0, /from 1/),
  option("acquireTimeoutMs", 0, /from 1/),
  option("statementTimeoutMs", 0, /from 1/),
  option("port", "5432", /from 1 to 65535/, ["5432"]),
  option("port", 65_536, /from 1 to 65535/, ["65536"]),
  option("host", "", /host name/),
  option("host", `${CANARY}:5432`, /without scheme or port/),
  option("host", `postgres://${CANARY}`, /without scheme/),
  option("user", "", /not empty/),
  option("user", `${CANARY}\0`, /without NUL/),
  option("database", 9173, /text/, ["9173"]),
  option("password", 9173, /text, not empty.* or a function/, ["9173"]),
  option("password", "", /not empty/),
  option("password", { secret: CANARY }, /function/),
  option("password", `${CANARY}\ud800`, /text/),
  option("name", "", /not empty/),
  option("applicationName", `${CANARY}é`, /ASCII/),
  option("applicationName", `${CANARY}\n`, /ASCII/),
  option("sslMode", "prefer", /write require/),
  option("sslMode", true, /one of disable/),
  option("ca", `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`, /PEM/),
  option("auth", CANARY, /iam, password/),
  option("region", CANARY, /such as/),
  option("runtime", CANARY, /one of workerd/),
  option("target", CANARY, /one of postgres/),
  option("transport", CANARY, /one of http, pool, request/),
  option("endpoint", CANARY, /https:\/\//),
  option("endpoint", `HTTPS://${CANARY}.example`, /https:\/\//),
  option("endpoint", `ftp://${CANARY}`, /https:\/\//),
  option("endpoint", `https://u:${CANARY}@host`, /without user, password/),
  option("endpoint", `https://host?${CANARY}`, /query/),
  option("endpoint", "https://host:99173", /https:\/\//, ["99173"]),
  option("endpoint", `http://${CANARY}.example`, /http is only for this machine/),
  option("endpoint", "http://127.0.0.1.evil.example", /http is only for this machine/, ["evil"]),
  option("types", [CANARY], /by type id/),
  option("types", { 20: CANARY }, /functions/),
  option("types", { [`${CANARY}[]`]: BigInt }, /without quotes and \[\]/),
  option("types", { [`"${CANARY}"`]: BigInt }, /without quotes/),
  option("types", { [`1${CANARY}`]: BigInt }, /type id/),
  option("types", { "": BigInt }, /type id/),
  option("types", { 0: BigInt }, /type id/),
];

const whole = "postgres://user@db.example/app";

/** What shows only when the environment is there. */
const brokenSurroundings: readonly BadInput[] = [
  { title: "nothing at all", setting: "DATABASE_URL", remedy: /set; or give the option url or host/, code: "MISSING_SETTING" },
  { title: "an empty DATABASE_URL", env: { DATABASE_URL: "" }, setting: "DATABASE_URL", remedy: /must be set/, code: "MISSING_SETTING" },
  {
    title: "url: undefined beside a DATABASE_URL",
    options: { url: undefined },
    env: { DATABASE_URL: whole },
    setting: "url",
    remedy: /leave it out/,
    code: "MISSING_SETTING",
  },
  { title: "a broken DATABASE_URL", env: { DATABASE_URL: `mysql://u:${CANARY}@h/d` }, setting: "DATABASE_URL", remedy: /postgres:\/\// },
  { title: "a URL without a user", options: "postgres://db.example/app", setting: "user", remedy: /PGUSER/, code: "MISSING_SETTING" },
  {
    title: "a URL with only a password",
    options: `postgres://:${CANARY}@db.example/app`,
    setting: "user",
    remedy: /PGUSER/,
    code: "MISSING_SETTING",
  },
  {
    title: "a URL without a database",
    options: "postgres://user@db.example",
    setting: "database",
    remedy: /PGDATABASE/,
    code: "MISSING_SETTING",
  },
  {
    title: "a URL that ends in a slash",
    options: "postgres://user@db.example/",
    setting: "database",
    remedy: /PGDATABASE/,
    code: "MISSING_SETTING",
  },
  { title: "a URL without a host", options: "postgres://user@/app", setting: "host", remedy: /PGHOST/, code: "MISSING_SETTING" },
  { title: "a broken PGPORT", options: whole, env: { PGPORT: `5${CANARY}` }, setting: "PGPORT", remedy: /from 1 to 65535/ },
  { title: "a broken PGHOST", env: { PGHOST: `${CANARY},,b` }, setting: "PGHOST", remedy: /one host name/ },
  { title: "PGSSLMODE prefer", options: whole, env: { PGSSLMODE: "prefer" }, setting: "PGSSLMODE", remedy: /write require/ },
  {
    title: "a negative PGCONNECT_TIMEOUT",
    options: whole,
    env: { PGCONNECT_TIMEOUT: "-9173" },
    setting: "PGCONNECT_TIMEOUT",
    remedy: /seconds/,
    hidden: ["9173"],
  },
  { title: "a PGAPPNAME that is not ASCII", options: whole, env: { PGAPPNAME: `${CANARY}ü` }, setting: "PGAPPNAME", remedy: /ASCII/ },
  {
    title: "a WARMLINE_ENDPOINT in plain http",
    options: whole,
    env: { WARMLINE_ENDPOINT: `http://${CANARY}.example` },
    setting: "WARMLINE_ENDPOINT",
    remedy: /http is only for this machine/,
  },
  {
    title: "TLS on a Unix socket",
    options: { host: `/${CANARY}`, user: "u", database: "d", sslMode: "require" },
    setting: "sslMode",
    remedy: /leave sslMode/,
  },
  {
    title: "ca with sslMode disable",
    options: { url: whole, sslMode: "disable", ca: `-----BEGIN CERTIFICATE-----\n${CANARY}\n-----END CERTIFICATE-----` },
    setting: "ca",
    remedy: /leave one out/,
  },
  {
    title: "direct negotiation with sslMode disable",
    options: `${whole}?sslmode=disable&sslnegotiation=direct`,
    setting: "sslNegotiation",
    remedy: /leave one out/,
  },
  {
    title: "channel_binding=require without verified TLS",
    options: `${whole}?sslmode=no-verify&channel_binding=require`,
    setting: "channelBinding",
    remedy: /sslmode=require/,
  },
  {
    title: "a pool's parameter in directUrl",
    options: { url: whole, directUrl: `${whole}?application_name=${CANARY}` },
    setting: "directUrl",
    remedy: /move the rest to url/,
  },
];

describe("bad input that the options alone can tell", () => {
  test.each([...brokenUrls, ...brokenOptions])("is refused by name, with the remedy and without the value: $title", (row) => {
    expectRefusal(
      row,
      thrownBy(() => checkOptions(row.options, runtimeNames)),
    );
  });
});

describe("bad input that only the environment can tell", () => {
  test.each(brokenSurroundings)("is refused by name, with the remedy and without the value: $title", (row) => {
    const options = checkOptions(row.options, runtimeNames);
    expectRefusal(
      row,
      thrownBy(() => chooseTls(resolveSettings(options, row.env ?? {}).address)),
    );
  });
});
