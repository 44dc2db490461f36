import { createServer } from "node:net";
import { describe, expect, inject, test } from "vitest";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { startWire } from "../support/wire.ts";
import { databaseUrl, postTo, useEndpoint } from "./local-endpoint.ts";

const { running, post, query } = useEndpoint();

const PID = "select pg_backend_pid() as pid";

const KEYS = [
  ..."message code detail hint position internalPosition internalQuery severity where".split(" "),
  ..."table column schema dataType constraint file line routine".split(" "),
];

describe("a statement the server refuses", () => {
  test("is 400 with 17 keys", async () => {
    const { status, body } = await post({ query: "select 1 +" });
    expect(status).toBe(400);
    expect(Object.keys(body)).toEqual(KEYS);
    expect(body).toMatchObject({
      message: "syntax error at end of input",
      code: "42601",
      severity: "ERROR",
      position: "11",
      detail: null,
      hint: null,
    });
    expect(body.routine).toBe("scanner_yyerror");
  });

  test("names constraint, table, schema, column and type as the server does", async () => {
    const { body } = await post({
      queries: [
        { query: "create temp table priced (id int primary key, price int not null)" },
        { query: "insert into priced values (1, 1)" },
        { query: "insert into priced values (1, 2)" },
      ],
    });
    expect(body).toMatchObject({
      code: "23505",
      table: "priced",
      constraint: "priced_pkey",
      schema: expect.stringMatching(/^pg_temp/),
      detail: expect.stringContaining("(id)=(1)"),
    });
    const missing = await post({
      queries: [{ query: "create temp table priced (price int not null)" }, { query: "insert into priced values (null)" }],
    });
    expect(missing.body).toMatchObject({ code: "23502", column: "price" });
  });

  test("tells where inside the server it failed", async () => {
    const { body } = await post({ query: "do $$ begin execute 'select nonsense'; end $$" });
    expect(body).toMatchObject({
      code: "42703",
      internalQuery: "select nonsense",
      internalPosition: "8",
      where: expect.stringContaining("PL/pgSQL"),
    });
  });

  test("is a second statement in one text", async () => {
    expect((await post({ query: "select 1; select 2" })).body).toMatchObject({ code: "42601" });
  });

  test("is a copy from a client that has no data to send", async () => {
    const before = (await query(PID)).rows;
    const table = { query: "create temp table copied (n int)" };
    const copy = { query: "copy copied from stdin" };
    expect((await post({ queries: [table, copy] })).body).toMatchObject({ code: "57014" });
    expect((await query(PID)).rows).toEqual(before);
    expect((await post({ queries: [table, copy, { query: "select 1" }] })).body).toMatchObject({ code: "08P01" });
    expect((await query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });

  test("is a copy with statements behind it, and nothing is written to a connection that ends", async () => {
    const { host, port } = inject("postgres");
    await using wire = await startWire({ host, port });
    const written = new Set<string>();
    wire.onMessage(({ from, type }) => from === "client" && written.add(type));
    const endpoint = await startEndpoint({ databaseUrl: `postgres://127.0.0.1:${wire.port}/x`, port: 0 });
    const queries = [{ query: "create temp table copied (n int)" }, { query: "copy copied from stdin" }, { query: "select 1" }];
    try {
      for (let round = 0; round < 20; round++) {
        const { status, body } = await postTo(endpoint, { queries });
        expect([status, body.code, body.severity, body.routine]).toEqual([400, "08P01", "ERROR", "CopyGetData"]);
      }
      // Execute, and no CopyFail
      expect([written.has("E"), written.has("f")]).toEqual([true, false]);
    } finally {
      await endpoint.stop();
    }
  });

  test("leaves nothing of its batch", async () => {
    await query("create table if not exists half_done (n int)");
    const { status } = await post({ queries: [{ query: "insert into half_done values (1)" }, { query: "select 1/0" }] });
    expect(status).toBe(400);
    expect((await query("select * from half_done")).rows).toEqual([]);
  });

  test("may be the commit of a batch", async () => {
    const { status, body } = await post({
      queries: [
        { query: "create temp table late (n int unique deferrable initially deferred)" },
        { query: "insert into late values (1), (1)" },
      ],
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "23505", constraint: "late_n_key" });
  });
});

describe("a bad request", () => {
  const only = (message: string | RegExp) => ({
    ...Object.fromEntries(KEYS.map((key) => [key, key === "code" || key === "severity" ? "" : null])),
    message: expect.stringMatching(message),
  });

  test.each<[string, string, RegExp]>([
    ["not a URL", "nonsense", /^invalid connection string/],
    ["of another scheme", "https://u:p@h/d", /^incorrect scheme$/],
    ["without a database", "postgres://u:p@h/", /^missing database name$/],
    ["without a user", "postgres://:p@h/d", /^missing username$/],
    ["without a password", "postgres://u@h/d", /^missing authentication credentials: required password$/],
    ["with a broken escape", "postgres://u%zz:p@h/d", /^invalid username$/],
    ["empty", "", /^invalid header: neon-connection-string$/],
  ])("has a connection string that is %s", async (_, url, message) => {
    const { status, body } = await post({ query: "select 1" }, { url });
    expect(status).toBe(400);
    expect(body).toEqual(only(message));
  });

  test("has no connection string", async () => {
    const response = await fetch(`${running().url}/sql`, { method: "POST", body: '{"query":"select 1"}' });
    expect([response.status, await response.json()]).toEqual([400, only(/^invalid header: neon-connection-string$/)]);
  });

  test("has an isolation level that does not exist", async () => {
    const { status, body } = await post({ queries: [] }, { headers: { "Neon-Batch-Isolation-Level": "serializable" } });
    expect([status, body]).toEqual([400, only(/^invalid isolation level$/)]);
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"query":1}',
    '{"queries":[{}]}',
    '{"queries":{}}',
    '{"query":"select 1","params":{}}',
    '{"query":"select 1","arrayMode":1}',
  ])("has the body %j", async (body) => {
    const answer = await post(body);
    expect([answer.status, answer.body]).toEqual([400, only(/^could not parse the HTTP request body: /)]);
  });

  test("has a parameter that is nested deeper than it can be written", async () => {
    const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    const { status, body } = await post(`{"query":"select $1::text","params":[${deep}]}`);
    expect([status, body]).toEqual([400, only(/nested too deeply$/)]);
  });

  test("has a NUL in its text, and is not sent", async () => {
    expect((await post({ query: "select 1\0" })).body).toEqual(only(/NUL/));
  });

  test("has a wrong password, and quotes none", async () => {
    const { status, body } = await post({ query: "select 1" }, { url: databaseUrl((url) => (url.password = "canary")) });
    expect([status, Object.keys(body)]).toEqual([400, KEYS]);
    expect(body).toMatchObject({
      message: 'password authentication failed for user "postgres"',
      code: "28P01",
      severity: "FATAL",
      routine: "auth_failed",
    });
    expect(JSON.stringify(body)).not.toContain("canary");
  });

  test("names a database that does not exist", async () => {
    const { status, body } = await post({ query: "select 1" }, { url: databaseUrl((url) => (url.pathname = "/nowhere")) });
    expect([status, body.code, Object.keys(body)]).toEqual([400, "3D000", KEYS]);
  });

  test("names a startup parameter the server does not know", async () => {
    const { status, body } = await post({ query: "select 1" }, { url: databaseUrl((url) => url.searchParams.set("no_such_setting", "1")) });
    expect([status, body.code]).toEqual([400, "42704"]);
  });

  test.each([
    ["GET", "/sql"],
    ["POST", "/other"],
    ["POST", "/sql/"],
    ["GET", "/v2"],
  ])("is %s %s", async (method, path) => {
    const response = await fetch(running().url + path, { method });
    expect([response.status, await response.json()]).toEqual([400, "query is not supported"]);
  });
});

test("a server that cannot be reached is 500 with 17 keys", async () => {
  const placeholder = createServer();
  await new Promise<void>((resolve) => placeholder.listen(0, "127.0.0.1", resolve));
  const { port } = placeholder.address() as { port: number };
  await new Promise((resolve) => placeholder.close(resolve));
  const endpoint = await startEndpoint({ databaseUrl: `postgres://127.0.0.1:${port}/x`, port: 0 });
  try {
    const { status, body } = await postTo(endpoint, { query: "select 1" });
    expect([status, Object.keys(body)]).toEqual([500, KEYS]);
    expect(body).toMatchObject({ code: "08001", severity: "FATAL", message: "Couldn't connect to compute node" });
    expect(JSON.stringify(body)).not.toContain(inject("postgres").password);
  } finally {
    await endpoint.stop();
  }
});

describe("with a token", () => {
  const guarded = useEndpoint({ token: "open sesame" });

  test.each([undefined, "Bearer wrong", "open sesame", "Bearer open sesame "])("%j is not let in", async (authorization) => {
    const headers =
      authorization === undefined
        ? {}
        : { Authorization: authorization.trimEnd() === authorization ? authorization : `${authorization.trim()}x` };
    const { status, body } = await guarded.post({ query: "select 1" }, { headers });
    expect([status, body]).toEqual([401, { msg: "Unauthorized" }]);
  });

  test("its bearer is let in", async () => {
    const { rows } = await guarded.query("select 1 as n", [], { Authorization: "Bearer open sesame" });
    expect(rows).toEqual([{ n: 1 }]);
  });

  test("a browser's preflight is answered", async () => {
    const response = await fetch(`${guarded.running().url}/sql`, { method: "OPTIONS" });
    expect(response.status).toBe(200);
  });
});

describe("a page of another site", () => {
  const elsewhere = ["https://example.com", "http://localhost.example.com:3000", "http://127.0.0.1.example.com", "null"];
  const here = ["http://localhost:3000", "https://localhost", "http://app.localhost:5173", "http://127.0.0.1:8080", "http://[::1]:3000"];

  test.each(elsewhere)("%s is not answered", async (origin) => {
    const { status, body, headers } = await post({ query: "select 1" }, { headers: { Origin: origin } });
    expect([status, body]).toEqual([403, { msg: expect.stringContaining("token") }]);
    expect(headers.get("access-control-allow-origin")).toBeNull();
    const preflight = await fetch(`${running().url}/sql`, { method: "OPTIONS", headers: { Origin: origin } });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  });

  test.each(here)("%s is of this machine", async (origin) => {
    const { status, headers } = await post({ query: "select 1" }, { headers: { Origin: origin } });
    expect([status, headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  });

  test("that has the token is let in", async () => {
    const guarded = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0, token: "open sesame" });
    try {
      const headers = { Origin: "https://example.com", Authorization: "Bearer open sesame" };
      const { status } = await postTo(guarded, { query: "select 1" }, { headers });
      expect(status).toBe(200);
    } finally {
      await guarded.stop();
    }
  });
});

test("the preflight allows every header of the protocol", async () => {
  const response = await fetch(`${running().url}/sql`, { method: "OPTIONS", headers: { Origin: "http://localhost:3000" } });
  expect(response.status).toBe(200);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("allow")).toBe("OPTIONS, POST");
  const allowed = response.headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
  expect(allowed).toEqual(
    expect.arrayContaining([
      "authorization",
      "neon-connection-string",
      "neon-raw-text-output",
      "neon-array-mode",
      "neon-pool-opt-in",
      "neon-batch-isolation-level",
      "neon-batch-read-only",
      "neon-batch-deferrable",
    ]),
  );
});

describe("an option", () => {
  const good = { databaseUrl: "postgres://127.0.0.1/x", port: 0 };
  test.each<[string, object]>([
    ["host", { ...good, host: "0.0.0.0" }],
    ["port", { ...good, port: 99_999 }],
    ["port", { ...good, port: Number.NaN }],
    ["token", { ...good, token: "" }],
    ["maxRequestBytes", { ...good, maxRequestBytes: 0 }],
    ["maxResponseBytes", { ...good, maxResponseBytes: 1.5 }],
    ["databaseUrl", { ...good, databaseUrl: "" }],
    ["databaseUrl", { ...good, databaseUrl: "mysql://u:canary@h/d" }],
    ["databaseUrl", { ...good, databaseUrl: "postgres://u:canary@h/d?sslmode=sometimes" }],
  ])("%s that is wrong is told by its name, without its value", async (setting, options) => {
    const error = await startEndpoint(options as typeof good).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "ConfigError", setting, fate: "not-sent" });
    expect(String((error as Error).stack)).not.toContain("canary");
  });

  test("port that is in use is told so", async () => {
    const error = await startEndpoint({ ...good, port: running().port }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "ConfigError", code: "PORT_IN_USE", setting: "port" });
  });
});
