import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { runtimeNames } from "../../src/decide/detect-runtime.ts";
import { checkOptions, type DatabaseOptions, resolveSettings, type Settings } from "../../src/decide/settings.ts";
import { chooseTls } from "../../src/decide/tls.ts";

const pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----";

function settle(options: unknown, env: Record<string, string> = {}): Settings {
  return resolveSettings(checkOptions(options, runtimeNames), env);
}

function isDeeplyFrozen(value: unknown): boolean {
  return typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen));
}

describe("a URL", () => {
  test.each([
    ["postgres://user:pw@host/db", { host: "host", port: 5432, user: "user", database: "db" }, "pw"],
    ["postgresql://user@host:6000/db", { host: "host", port: 6000, user: "user", database: "db" }, null],
    ["POSTGRES://user@Host/db", { host: "Host", user: "user", database: "db" }, null],
    ["postgres://us%40er:p%40%3A%2F%3F%23%25w@host/d%20b", { user: "us@er", database: "d b" }, "p@:/?#%w"],
    ["postgres://user:a:b@host/db", { user: "user" }, "a:b"],
    ["postgres://user:@host/db", { user: "user" }, null],
    ["postgres://user:+%2B@host/db", { user: "user" }, "++"],
    ["postgres://user@[2001:db8::1]:6000/db", { host: "2001:db8::1", port: 6000 }, null],
    ["postgres://user@10.0.0.1/db", { host: "10.0.0.1" }, null],
    ["postgres://user@host_a.internal/db?", { host: "host_a.internal" }, null],
    ["postgres://user@/db?host=/var/run/postgresql", { host: "/var/run/postgresql", port: 5432 }, null],
    ["postgres://user@%2Ftmp/db", { host: "/tmp" }, null],
    ["postgres://user@localhost:1/db?host=other.example&port=7", { host: "other.example", port: 7 }, null],
    ["postgres://üser:pässwort@host/größe", { user: "üser", database: "größe" }, "pässwort"],
  ])("is taken apart: %s", (url, address, password) => {
    const settings = settle(url);
    expect(settings.address).toMatchObject(address);
    expect(settings.address.password?.reveal() ?? null).toBe(password);
  });

  test("holds settings in its parameters", () => {
    const parameters =
      "sslmode=verify-full&sslnegotiation=direct&application_name=my%20app&connect_timeout=7&options=-c%20search_path%3Dapp&channel_binding=require&pgbouncer=true&statement_timeout=900";
    expect(settle(`postgres://u@db.example/d?${parameters}`)).toMatchObject({
      address: { sslMode: "verify-full", sslNegotiation: "direct", channelBinding: "require" },
      applicationName: "my app",
      connectTimeoutMs: 7000,
      startupOptions: "-c search_path=app",
      statementTimeoutMs: 900,
      target: "pgbouncer",
    });
  });

  test("leaves the target open with pgbouncer=false", () => {
    expect(settle("postgres://u@h/d?pgbouncer=false").target).toBeNull();
  });
});

describe("precedence", () => {
  const env = {
    DATABASE_URL: "postgres://env:envpw@env.example:1111/envdb?application_name=fromurl",
    PGHOST: "pg.example",
    PGPORT: "2222",
    PGUSER: "pguser",
    PGDATABASE: "pgdb",
    PGPASSWORD: "pgpw",
    PGSSLMODE: "no-verify",
    PGAPPNAME: "pgapp",
    PGCONNECT_TIMEOUT: "3",
    PGOPTIONS: "-c a=b",
    WARMLINE_ENDPOINT: "http://localhost:4444/",
  };

  test("puts options before the URL, the URL before the variables, piece by piece", () => {
    const settings = settle({ user: "opt", connectTimeoutMs: 9 }, env);
    expect(settings).toMatchObject({
      address: { host: "env.example", port: 1111, user: "opt", database: "envdb", sslMode: "no-verify" },
      applicationName: "fromurl",
      connectTimeoutMs: 9,
      startupOptions: "-c a=b",
      endpoint: "http://localhost:4444/",
    });
    expect(settings.address.password?.reveal()).toBe("envpw");
  });

  test("reads everything from the PG variables when there is no URL", () => {
    const settings = settle(undefined, { ...env, DATABASE_URL: "" });
    expect(settings).toMatchObject({
      address: { host: "pg.example", port: 2222, user: "pguser", database: "pgdb" },
      applicationName: "pgapp",
      connectTimeoutMs: 3000,
    });
    expect(settings.address.password?.reveal()).toBe("pgpw");
  });

  test("takes nothing from DATABASE_URL when a url is given", () => {
    const settings = settle({ url: "postgres://a@a.example/a" }, { DATABASE_URL: env.DATABASE_URL });
    expect(settings.address).toMatchObject({ host: "a.example", port: 5432, user: "a", password: null });
    expect(settings.applicationName).toBe("warmline");
  });

  test("fills a url's missing pieces from the PG variables", () => {
    expect(settle("postgres://a.example", { PGUSER: "u", PGDATABASE: "d" }).address).toMatchObject({ user: "u", database: "d" });
  });

  test("does not read a broken variable whose setting was given", () => {
    expect(settle("postgres://u@h:5/d", { PGPORT: "broken" }).address.port).toBe(5);
  });

  test("counts an empty variable as not set", () => {
    expect(settle("postgres://u@h/d", { PGPORT: "", PGPASSWORD: "", WARMLINE_ENDPOINT: "" })).toMatchObject({
      address: { port: 5432, password: null },
      endpoint: null,
    });
  });

  test("ignores DATABASE_URL beside url: undefined and a host", () => {
    const settings = settle({ url: undefined, host: "opt.example", user: "u", database: "d" }, env);
    expect(settings.address).toMatchObject({ host: "opt.example", port: 2222 });
  });

  test("keeps a password function as it is", () => {
    const password = async (): Promise<string> => "token";
    expect(settle({ url: "postgres://u:other@h/d", password }).address.password?.reveal()).toBe(password);
  });
});

describe("TLS", () => {
  const cases: readonly (readonly [what: string, options: DatabaseOptions, mode: string, warns: boolean])[] = [
    ["unset on localhost", { host: "localhost" }, "disable", false],
    ["unset on 127.0.0.1", { host: "127.0.0.1" }, "disable", false],
    ["unset on ::1", { host: "::1" }, "disable", false],
    ["unset on a socket", { host: "/tmp" }, "disable", false],
    ["unset on Hyperdrive", { host: "x.hyperdrive.local" }, "disable", false],
    ["unset on a private address", { host: "10.0.0.1" }, "verify", false],
    ["unset on a name that begins like loopback", { host: "127.0.0.1.example" }, "verify", false],
    ["unset on a bare name", { host: "db" }, "verify", false],
    ["unset on localhost, with a ca", { host: "localhost", ca: pem }, "verify", false],
    ["require", { host: "localhost", sslMode: "require" }, "verify", false],
    ["verify-ca", { host: "h", sslMode: "verify-ca" }, "verify", false],
    ["verify-full", { host: "h", sslMode: "verify-full" }, "verify", false],
    ["no-verify", { host: "h", sslMode: "no-verify" }, "no-verify", true],
    ["disable on another machine", { host: "h", sslMode: "disable" }, "disable", true],
    ["disable on this machine", { host: "localhost", sslMode: "disable" }, "disable", false],
  ];

  test.each(cases)("%s gives its mode and its warning", (_, options, mode, warns) => {
    const settings = settle({ user: "u", database: "d", ...options });
    const { warnings, ...tls } = chooseTls(settings.address);
    expect(tls).toEqual({ mode, ca: options.ca ?? null, negotiation: "postgres", channelBinding: false });
    expect(warnings).toHaveLength(warns ? 1 : 0);
  });

  test("binds no channel where there is no TLS", () => {
    expect(chooseTls(settle("postgres://u@localhost/d?channel_binding=prefer").address).channelBinding).toBe(false);
    expect(chooseTls(settle("postgres://u@h/d?channel_binding=prefer").address).channelBinding).toBe(true);
  });
});

describe("directUrl", () => {
  const url = "postgres://u:pw@pool.example:6543/d?sslmode=no-verify";

  test("takes what it leaves out from the main address, but neither port nor encryption", () => {
    const { directAddress } = settle({ url, directUrl: "postgres://direct.example" });
    expect(directAddress).toMatchObject({ host: "direct.example", port: 5432, user: "u", database: "d", sslMode: null });
    expect(directAddress?.password?.reveal()).toBe("pw");
  });

  test.each([
    { sslMode: "no-verify" },
    { sslNegotiation: "direct" },
    { channelBinding: "require" },
    { ca: "/ca.pem" },
    { cert: "/cert.pem", key: "/key.pem" },
    { auth: "password" },
    { region: "eu-central-1" },
  ] as const)("is protected as an option says of every address: %o", (option) => {
    const { address, directAddress } = settle({ url: url.split("?")[0], directUrl: "postgres://direct.example", ...option });
    const said = Object.keys(option) as (keyof typeof address)[];
    expect(said.map((name) => String(directAddress?.[name]))).toEqual(said.map((name) => String(address[name])));
    expect(directAddress).toMatchObject("key" in option ? { cert: option.cert } : option);
  });

  test("does not give one user's password to another", () => {
    expect(settle({ url, directUrl: "postgres://admin@direct.example/d" }).directAddress?.password).toBeNull();
  });

  test("is null where none is given", () => {
    expect(settle(url).directAddress).toBeNull();
  });
});

describe("settings", () => {
  test("come out complete: every key is there, with the defaults", () => {
    expect(settle("postgres://u@h/d")).toEqual({
      name: null,
      onPool: null,
      tcp: null,
      env: null,
      address: {
        host: "h",
        others: [],
        targetSessionAttrs: "any",
        port: 5432,
        database: "d",
        user: "u",
        password: null,
        sslMode: null,
        ca: null,
        cert: null,
        key: null,
        auth: null,
        region: null,
        sslNegotiation: "postgres",
        channelBinding: "disable",
      },
      directAddress: null,
      endpoint: null,
      applicationName: "warmline",
      startupOptions: null,
      runtime: null,
      target: null,
      transport: null,
      max: null,
      min: 0,
      idleTimeoutMs: null,
      lifetimeMs: null,
      connectTimeoutMs: 5_000,
      acquireTimeoutMs: 5_000,
      maxWaiting: 10_000,
      leakThresholdMs: null,
      release: "keep",
      warmUp: null,
      idleSessionTimeoutMs: null,
      deadlineMs: null,
      maxResponseBytes: null,
      statementTimeoutMs: null,
      prepare: true,
      pipelining: true,
      earlyStatement: false,
      slowQueryMs: null,
      sqlCommenter: null,
      types: {},
      warnings: [],
    });
  });

  test("take every option", () => {
    const options = {
      name: "main",
      runtime: "lambda",
      target: "rds",
      transport: "pool",
      max: 3,
      min: 1,
      idleTimeoutMs: 0,
      lifetimeMs: 0,
      acquireTimeoutMs: 11,
      connectTimeoutMs: 12,
      statementTimeoutMs: 13,
      applicationName: "app",
      startupOptions: "-c a=b",
      release: "after-invocation",
      warmUp: true,
      idleSessionTimeoutMs: 14,
      earlyStatement: true,
      endpoint: "https://e.example",
    } as const;
    expect(settle({ ...options, url: "postgres://u@h/d" })).toMatchObject(options);
  });

  test("take only its own runtime in an edge build", () => {
    expect(checkOptions({ runtime: "workerd" }, ["workerd"]).runtime).toBe("workerd");
    expect(() => checkOptions({ runtime: "node" }, ["workerd"])).toThrow("The setting runtime must be one of workerd.");
  });

  test("are frozen to the bottom, and so are the checked options", () => {
    const options = checkOptions({ url: "postgres://u:p@h/d", types: { 20: BigInt }, directUrl: "postgres://h" }, runtimeNames);
    expect(Object.isFrozen(options)).toBe(true);
    expect(isDeeplyFrozen(resolveSettings(options, {}))).toBe(true);
  });

  test("show no password", () => {
    const settings = settle({ url: "postgres://u:cAnArY@h/d", directUrl: "postgres://x" });
    expect(inspect(settings, { depth: 9, showHidden: true }) + JSON.stringify(settings)).not.toContain("cAnArY");
    expect(settings.address.password?.reveal()).toBe("cAnArY");
  });

  test("take an option given as undefined for one left out", () => {
    expect(settle({ url: "postgres://u@h/d", max: undefined, password: undefined }).max).toBeNull();
  });
});
