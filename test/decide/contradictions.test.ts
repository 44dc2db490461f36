import { describe, expect, test } from "vitest";
import { createDatabase, type DatabaseOptions } from "../../src/entry/node.ts";
import { sharedPool, type WarmPoolOptions } from "../../src/entry/pool.ts";

const certificate = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";
const privateKey = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----";
const url = "postgres://u:p@db.example/d";
const rds = "postgres://u@shop.c9akciq32.eu-west-1.rds.amazonaws.com/d";
const pooler = "postgres://u:p@ep-a-pooler.eu.aws.neon.tech/d";

type Row = readonly [title: string, options: DatabaseOptions, setting: string];

/** What no environment could make right. */
const rows: readonly Row[] = [
  ["IAM and a password", { url: rds, auth: "iam", password: "p" }, "password"],
  ["IAM and a password in the URL", { url: rds.replace("u@", "u:p@"), auth: "iam" }, "password"],
  ["IAM and a password, at a host that only variables name", { auth: "iam", password: "p" }, "password"],
  ["IAM at what takes no tokens", { url: "postgres://u@db.example/d", auth: "iam" }, "auth"],
  ["IAM in plain text", { url: rds, auth: "iam", sslMode: "disable" }, "sslMode"],
  ["IAM without verifying", { url: `${rds}?sslmode=no-verify`, auth: "iam" }, "sslMode"],
  ["IAM for another region than the host's", { url: rds, auth: "iam", region: "us-east-1" }, "region"],
  ["certificates and no TLS", { url, ca: certificate, sslMode: "disable" }, "ca"],
  ["certificates and no TLS, in the URL", { url: `${url}?sslmode=disable&sslrootcert=/ca.pem` }, "ca"],
  ["certificates in the options and no TLS in the URL", { url: `${url}?sslmode=disable`, ca: certificate }, "ca"],
  ["a certificate of one's own and no TLS", { url, cert: certificate, key: privateKey, sslMode: "disable" }, "cert"],
  ["a key, whatever its certificate, and no TLS", { url, key: privateKey, sslMode: "disable" }, "cert"],
  ["TLS at once, and none", { url, sslNegotiation: "direct", sslMode: "disable" }, "sslNegotiation"],
  ["binding to TLS that is not verified", { url, channelBinding: "require", sslMode: "no-verify" }, "channelBinding"],
  ["TLS on a Unix socket", { host: "/run/postgresql", sslMode: "require" }, "sslMode"],
  ["certificates on a Unix socket", { url: "postgres://u@/d?host=/run/postgresql", ca: certificate }, "sslMode"],
  ["the second of several hosts a Unix socket, with TLS", { host: "db.example,/run/postgresql", sslMode: "require" }, "sslMode"],
  ["more ports than hosts", { host: "a,b", port: "1,2,3" }, "port"],
  ["hosts of two kinds", { url: "postgres://u:p@db.example,ep-a.eu.aws.neon.tech/d" }, "host"],
  ["fewer connections at most than at least", { url, min: 3, max: 2 }, "min"],
  ["startup options where a pooler takes none", { url: pooler, startupOptions: "-c a.b=1" }, "startupOptions"],
  ["a search path in the URL of such a pooler", { url: `${pooler}?search_path=app` }, "startupOptions"],
  ["a time-out at login where the target takes none", { url, target: "pgbouncer", idleSessionTimeoutMs: 5 }, "idleSessionTimeoutMs"],
  ["a setting beyond an address in directUrl", { url, directUrl: `${url}?application_name=a` }, "directUrl"],
  [
    "binding, and TLS that is not verified in directUrl",
    { url, channelBinding: "require", directUrl: `${url}?sslmode=no-verify` },
    "channelBinding",
  ],
  ["certificates and no TLS in directUrl", { url, directUrl: `${url}?sslmode=disable&sslrootcert=/ca.pem` }, "ca"],
];

describe("settings that contradict each other", () => {
  test.each(rows)("are refused when the database is made: %s", (_, options, setting) => {
    const refusal = expect.objectContaining({ name: "ConfigError", code: "INVALID_SETTING", setting });
    expect(() => createDatabase(options)).toThrow(refusal);
    expect(() => sharedPool(options as WarmPoolOptions)).toThrow(refusal);
  });

  test.each<readonly [title: string, options: DatabaseOptions, env: Readonly<Record<string, string>>]>([
    ["a certificate, whose key is a variable", { url, cert: certificate }, { PGSSLKEY: privateKey }],
    ["a key, whose certificate is a variable", { url, key: privateKey }, { PGSSLCERT: certificate }],
    ["IAM at a host that a variable names", { auth: "iam" }, { DATABASE_URL: rds }],
    ["certificates for loopback", { url: "postgres://u@localhost/d", channelBinding: "require" }, { PGSSLMODE: "require" }],
    ["as many ports as a variable has hosts", { port: "1,2", user: "u", database: "d" }, { PGHOST: "a,b" }],
    ["startup options at a port that tells no pooler", { url: "postgres://u@x.pooler.supabase.com/d", startupOptions: "-c a.b=1" }, {}],
  ])("are none where the environment makes it right: %s", (_, options, env) => {
    expect(createDatabase({ ...options, env, warmUp: false }).plan.transport).toBe("pool");
  });

  test("wait for the environment where that may make it right, and then the plan refuses", () => {
    const plan = (options: DatabaseOptions) => createDatabase({ env: {}, ...options }).plan;
    expect(() => plan({ url, cert: certificate })).toThrow(/key must be given too/);
    expect(() => plan({ url: rds, auth: "iam", env: { PGPASSWORD: "p" } })).toThrow(/password must be left out with auth iam/);
  });
});
