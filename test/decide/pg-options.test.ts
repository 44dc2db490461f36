import { describe, expect, test } from "vitest";
import { readPoolOptions } from "../../src/decide/pg-options.ts";
import { ConfigError } from "../../src/errors/errors.ts";

const files: Readonly<Record<string, string>> = { "/cert": "CERT", "/key": "KEY" };
const readFile = (path: string): string => {
  if (files[path] === undefined) throw new Error(`no ${path}`);
  return files[path];
};
const read = (options: unknown) => readPoolOptions(options, readFile);

const url = "postgres://u:p@db.example.com/shop";
const hook = () => {};

/** Every option of pg's that is taken, and what it means. */
const taken: readonly (readonly [name: string, options: object, settings: object, driver?: object])[] = [
  [
    "host … password",
    { host: "h", port: 1, database: "d", user: "u", password: hook },
    { host: "h", port: 1, database: "d", user: "u", password: hook },
  ],
  ["a port that is text", { port: "5433", max: "5", min: "1" }, { port: 5433, max: 5, min: 1 }],
  ["what is empty, as left out", { host: "", port: Number.NaN, user: null, password: "", max: 0, min: 0 }, { min: 0 }],
  ["poolSize", { poolSize: 9 }, { max: 9 }],
  ["idleTimeoutMillis", { idleTimeoutMillis: 5 }, { idleTimeoutMs: 5 }],
  ["idleTimeoutMillis 0 and null", { idleTimeoutMillis: null }, { idleTimeoutMs: 0 }],
  ["application_name", { application_name: "a" }, { applicationName: "a" }],
  ["application_name of digits", { application_name: "12" }, { applicationName: "12" }],
  ["options", { options: "-c a=b" }, { startupOptions: "-c a=b" }],
  ["statement_timeout", { statement_timeout: 5 }, { statementTimeoutMs: 5 }],
  ["statement_timeout as text", { statement_timeout: "5" }, { statementTimeoutMs: 5 }],
  ["statement_timeout false", { statement_timeout: false }, {}],
  ["statement_timeout 0", { statement_timeout: 0 }, {}],
  ["sslnegotiation", { sslnegotiation: "direct" }, { sslNegotiation: "direct" }],
  ["enableChannelBinding", { enableChannelBinding: true }, { channelBinding: "prefer" }],
  ["enableChannelBinding false", { enableChannelBinding: false }, { channelBinding: "disable" }],
  ["ssl true", { ssl: true }, { sslMode: "verify-full" }],
  ["ssl false", { ssl: false }, { sslMode: "disable" }],
  ["ssl null", { ssl: null }, { sslMode: "disable" }],
  ["ssl no-verify", { ssl: "no-verify" }, { sslMode: "no-verify" }],
  ["ssl with options", { ssl: { ca: "x", servername: "s" } }, { sslMode: "verify-full" }, { ssl: { ca: "x", servername: "s" } }],
  ["ssl that is not verified", { ssl: { rejectUnauthorized: false } }, { sslMode: "no-verify" }, { ssl: { rejectUnauthorized: false } }],
  ["lock_timeout", { lock_timeout: 5 }, {}, { lock_timeout: 5 }],
  ["lock_timeout false", { lock_timeout: false }, {}, {}],
  ["idle_in_transaction_session_timeout", { idle_in_transaction_session_timeout: "5" }, {}, { idle_in_transaction_session_timeout: 5 }],
  ["query_timeout", { query_timeout: 5 }, {}, { query_timeout: 5 }],
  ["maxUses", { maxUses: 5 }, {}, { maxUses: 5 }],
  ["maxUses Infinity", { maxUses: Number.POSITIVE_INFINITY }, {}, { maxUses: Number.POSITIVE_INFINITY }],
  ["maxLifetimeSeconds", { maxLifetimeSeconds: 0.5 }, {}, { maxLifetimeSeconds: 0.5 }],
  ["maxLifetimeSeconds 0", { maxLifetimeSeconds: 0 }, {}, { maxLifetimeSeconds: 0 }],
  ["keepAlive", { keepAlive: false, keepAliveInitialDelayMillis: 0 }, {}, { keepAlive: false, keepAliveInitialDelayMillis: 0 }],
  ["allowExitOnIdle", { allowExitOnIdle: false }, {}, { allowExitOnIdle: false }],
  ["binary", { binary: true }, {}, { binary: true }],
  ["scramMaxIterations", { scramMaxIterations: 9 }, {}, { scramMaxIterations: 9 }],
  ["fallback_application_name", { fallback_application_name: "f" }, {}, { fallback_application_name: "f" }],
  [
    "hooks",
    { onConnect: hook, verify: hook, log: hook, Promise, stream: hook },
    {},
    { onConnect: hook, verify: hook, log: hook, Promise, stream: hook },
  ],
  ["types of pg's", { types: { getTypeParser: hook } }, {}, { types: { getTypeParser: hook } }],
  ["types of ours", { types: { 20: hook } }, { types: { 20: hook } }],
  ["client_encoding, where it changes nothing", { client_encoding: "UTF8" }, {}],
  ["native and pipeline, where they are off", { native: false, pipeline: false }, {}],
  ["our own", { url, deadlineMs: 5, acquireTimeoutMs: 6 }, { url, deadlineMs: 5, acquireTimeoutMs: 6 }],
];

describe("an option of pg's", () => {
  test.each(taken)("%s", (_, options, settings, driver = {}) => {
    expect(read(options)).toMatchObject({ timeoutMs: undefined, lacksUrl: false });
    expect(read(options).settings).toEqual(settings);
    expect(read(options).driver).toEqual(driver);
  });

  test("connectionTimeoutMillis bounds waiting and connecting, 0 neither", () => {
    expect([5, "5", 0, null].map((connectionTimeoutMillis) => read({ connectionTimeoutMillis }).timeoutMs)).toEqual([5, 5, 0, 0]);
  });

  test("connectionString is the URL, given in options or alone; empty it stands for none", () => {
    for (const options of [url, { connectionString: url }]) expect(read(options)).toMatchObject({ settings: { url }, lacksUrl: false });
    for (const connectionString of [undefined, null, ""])
      expect(read({ connectionString })).toEqual({ settings: {}, driver: {}, timeoutMs: undefined, lacksUrl: true });
    expect(read({ url: undefined }).settings).toHaveProperty("url");
  });
});

/** What pg's connection strings have beyond those of everybody. */
const strings: readonly (readonly [written: string, settings: object, driver?: object])[] = [
  [
    `${url}?application_name=a&lock_timeout=5&sslmode=no-verify`,
    { url: `${url}?application_name=a&sslmode=no-verify` },
    { lock_timeout: 5 },
  ],
  [`${url}?query_timeout=7&idle_in_transaction_session_timeout=8`, { url }, { query_timeout: 7, idle_in_transaction_session_timeout: 8 }],
  [`${url}?fallback_application_name=f&client_encoding=utf8`, { url }, { fallback_application_name: "f" }],
  ["postgres://db.example.com/shop?user=u&password=p%20q", { url: "postgres://db.example.com/shop?user=u&password=p%20q" }],
  [`${url}?ssl=true`, { url, sslMode: "verify-full" }],
  [`${url}?ssl=true&sslmode=require`, { url, sslMode: "verify-full" }],
  [`${url}?ssl=1`, { url, sslMode: "verify-full" }],
  [`${url}?ssl=0`, { url, sslMode: "disable" }],
  [`${url}?ssl=no-verify`, { url, sslMode: "no-verify" }],
  [`${url}?sslmode=verify-full&sslrootcert=/ca`, { url: `${url}?sslmode=verify-full`, ca: "/ca" }],
  [`${url}?sslmode=verify-full&sslrootcert=system`, { url: `${url}?sslmode=verify-full` }],
  [`${url}?sslmode=verify-full&sslcert=/cert&sslkey=/key`, { url: `${url}?sslmode=verify-full` }, { ssl: { cert: "CERT", key: "KEY" } }],
  [`${url}?uselibpqcompat=true&sslmode=require`, { url, sslMode: "no-verify" }],
  [`${url}?uselibpqcompat=true&sslmode=prefer`, { url, sslMode: "no-verify" }],
  [`${url}?uselibpqcompat=true&sslmode=verify-full`, { url: `${url}?sslmode=verify-full` }],
  [
    `${url}?uselibpqcompat=true&sslmode=verify-ca&sslrootcert=/ca`,
    { url, sslMode: "verify-full", ca: "/ca" },
    { ssl: { checkServerIdentity: expect.any(Function) } },
  ],
  ["/var/run/postgresql shop", { host: "/var/run/postgresql", database: "shop" }],
  ["socket:/tmp?db=shop&encoding=utf8", { host: "/tmp", database: "shop" }],
  ["socket://u:p%40@/tmp?db=shop", { host: "/tmp", database: "shop", user: "u", password: "p@" }],
];

test.each(strings)("the connection string %s", (connectionString, settings, driver = {}) => {
  expect(read({ connectionString }).settings).toEqual(settings);
  expect(read(connectionString).driver).toEqual(driver);
});

test("a password that was not encoded is in no message, in pieces neither", () => {
  const reading = () => read("postgres://db.example.com/shop?user=u&password=ab&cAnArY=c");
  expect(reading).toThrow("known here");
  expect(reading).not.toThrow("cAnArY");
});

const refused: readonly (readonly [title: string, options: object, setting: string, remedy: RegExp])[] = [
  ["a client of another make", { Client: hook }, "Client", /pg's own in JavaScript/],
  ["native", { native: true }, "native", /pg's own in JavaScript/],
  ["a connection", { connection: {} }, "connection", /pg's own in JavaScript/],
  ["replication", { replication: "database" }, "replication", /use a Client of pg/],
  ["pipeline", { pipeline: true }, "pipeline", /left out/],
  ["another encoding", { client_encoding: "latin1" }, "client_encoding", /utf8/],
  ["replication in the string", { connectionString: `${url}?replication=true` }, "replication", /use a Client of pg/],
  ["two URLs", { url, connectionString: url }, "url", /left out: connectionString says it already/],
  ["two limits of idle connections", { idleTimeoutMillis: 1, idleTimeoutMs: 1 }, "idleTimeoutMs", /idleTimeoutMillis says it already/],
  ["the same the other way round", { idleTimeoutMs: 1, idleTimeoutMillis: 1 }, "idleTimeoutMs", /idleTimeoutMillis says it already/],
  [
    "two limits of waiting",
    { connectionTimeoutMillis: 1, acquireTimeoutMs: 1 },
    "acquireTimeoutMs",
    /connectionTimeoutMillis says it already/,
  ],
  [
    "two limits of connecting",
    { connectTimeoutMs: 1, connectionTimeoutMillis: 1 },
    "connectTimeoutMs",
    /connectionTimeoutMillis says it already/,
  ],
  ["two ages", { maxLifetimeSeconds: 1, lifetimeMs: 1 }, "lifetimeMs", /maxLifetimeSeconds says it already/],
  ["two names", { application_name: "a", applicationName: "a" }, "applicationName", /application_name says it already/],
  ["two limits of a statement", { statement_timeout: 1, statementTimeoutMs: 1 }, "statementTimeoutMs", /statement_timeout says it already/],
  ["two sizes", { max: 1, poolSize: 1 }, "max", /poolSize says it already/],
  ["two encryptions", { ssl: true, sslMode: "require" }, "sslMode", /ssl says it already/],
  ["a certificate beside ssl", { ssl: {}, ca: "/ca" }, "ca", /ssl says it already/],
  [
    "another encryption than the string's",
    { connectionString: `${url}?sslmode=require`, ssl: { rejectUnauthorized: false } },
    "ssl",
    /connectionString says it already/,
  ],
  ["ssl in both", { connectionString: `${url}?ssl=true`, ssl: true }, "ssl", /connectionString says it already/],
  ["another database than the string's", { connectionString: url, database: "other" }, "database", /connectionString says it already/],
  ["a password beside the string's", { connectionString: url, password: hook }, "password", /connectionString says it already/],
  ["a limit in both", { connectionString: `${url}?lock_timeout=1`, lock_timeout: 2 }, "lock_timeout", /connectionString says it already/],
  [
    "a parameter twice",
    { connectionString: `${url}?lock_timeout=1&lock_timeout=1` },
    "connectionString",
    /lock_timeout in connectionString must be there once/,
  ],
  ["ssl and another sslmode", { connectionString: `${url}?ssl=true&sslmode=disable` }, "connectionString", /sslmode says something else/],
  [
    "verify-ca of libpq without its certificate",
    { connectionString: `${url}?uselibpqcompat=true&sslmode=verify-ca` },
    "connectionString",
    /sslrootcert/,
  ],
  ["a file that is not there", { connectionString: `${url}?sslkey=/nowhere` }, "connectionString", /a file that can be read/],
  ...["cAnArY", "constructor"].map(
    (word) =>
      [
        `ssl=${word}`,
        { connectionString: `${url}?ssl=${word}` },
        "connectionString",
        /ssl in .* must be true, false or no-verify/,
      ] as const,
  ),
  ["an ssl that is none", { ssl: "yes" }, "ssl", /true, false/],
  ["a time that is none", { connectionTimeoutMillis: "soon" }, "connectionTimeoutMillis", /whole number/],
  ["a negative time", { query_timeout: -1 }, "query_timeout", /whole number/],
  ["no function", { onConnect: 1 }, "onConnect", /a function/],
  ["no text", { connectionString: 5 }, "connectionString", /like postgres/],
  ["a broken string", { connectionString: "postgres://u:p#cAnArY@h/d" }, "connectionString", /percent-encoded/],
];

test.each(refused)("refuses %s", (_, options, setting, remedy) => {
  let thrown: unknown;
  try {
    read(options);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConfigError);
  expect(thrown).toMatchObject({ setting, code: "INVALID_SETTING", message: expect.stringMatching(remedy) });
  expect(String(thrown)).not.toMatch(/cAnArY|u:p/);
});

test("what agrees with the string may be said beside it", () => {
  expect(read({ connectionString: `${url}?sslmode=require`, ssl: { ca: "x" } })).toMatchObject({ driver: { ssl: { ca: "x" } } });
  expect(read({ connectionString: url, database: "shop" }).settings).toEqual({ url, database: "shop" });
  expect(read({ connectionString: "postgres://u@h/d", password: hook }).settings).toMatchObject({ password: hook });
});
