import { Client, neonConfig } from "@neondatabase/serverless";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { checkServer } from "../../src/endpoint/check-server.ts";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { parseServerAddress } from "../../src/endpoint/server-address.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { eventually, postTo } from "./local-endpoint.ts";

let server: PostgresServer;
let endpoint: Endpoint;

const secureUrl = (parameters: Readonly<Record<string, string>>) => `${server.url()}?${new URLSearchParams(parameters)}`;

beforeAll(async () => {
  server = await startPostgres({ tls: true });
  endpoint = await startEndpoint({ databaseUrl: secureUrl({ sslmode: "verify-full", sslrootcert: server.ca ?? "" }), port: 0 });
});

afterAll(async () => {
  await endpoint.stop();
  await server.stop();
});

const SECURED = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

test("requests reach the server over verified TLS", async () => {
  expect((await postTo(endpoint, { query: SECURED }, { url: server.url() })).body.rows).toEqual([{ ssl: true }]);
});

test("WebSockets reach the server over verified TLS", async () => {
  const client = new Client(server.url());
  Object.assign(client.neonConfig, {
    webSocketConstructor: WebSocket,
    wsProxy: () => `127.0.0.1:${endpoint.port}/v2`,
    useSecureWebSocket: false,
  });
  await client.connect();
  expect((await client.query(SECURED)).rows).toEqual([{ ssl: true }]);
  await client.end();
  expect(neonConfig.useSecureWebSocket).toBe(true);
});

test("a statement is cancelled over TLS when its client goes away", async () => {
  const leaving = new AbortController();
  const url = server.url();
  const gone = postTo(endpoint, { query: "select pg_sleep(600) as secured" }, { url, signal: leaving.signal }).catch(() => undefined);
  const running = async () => {
    const text = "select count(*)::int4 as n from pg_stat_activity where query like '%as secured' and wait_event = 'PgSleep'";
    return ((await postTo(endpoint, { query: text }, { url })).body.rows as { n: number }[])[0]?.n;
  };
  await eventually(running, (n) => n === 1);
  leaving.abort();
  await gone;
  await eventually(running, (n) => n === 0);
});

test("a certificate that is not trusted is a server that cannot be reached", async () => {
  const distrustful = await startEndpoint({ databaseUrl: secureUrl({ sslmode: "require" }), port: 0 });
  const trustful = await startEndpoint({ databaseUrl: secureUrl({ sslmode: "no-verify" }), port: 0 });
  try {
    expect((await postTo(distrustful, { query: "select 1" }, { url: server.url() })).status).toBe(500);
    expect((await postTo(trustful, { query: SECURED }, { url: server.url() })).body.rows).toEqual([{ ssl: true }]);
  } finally {
    await distrustful.stop();
    await trustful.stop();
  }
});

test.each(["allow", "prefer"])("sslmode=%s is refused, for it falls back to plain text in silence", async (sslmode) => {
  await expect(startEndpoint({ databaseUrl: secureUrl({ sslmode }), port: 0 })).rejects.toMatchObject({
    code: "INVALID_SETTING",
    setting: "databaseUrl",
  });
});

test.each([
  ["a certificate that is trusted", { sslmode: "verify-full" }, { state: "reached", version: expect.stringMatching(/^\d+/) }],
  ["one that is not", { sslmode: "require", sslrootcert: "system" }, { state: "refused", code: "TLS_FAILED" }],
] as const)("a look at the server shakes hands: %s", async (_, parameters, found) => {
  const address = parseServerAddress(secureUrl({ sslrootcert: server.ca ?? "", ...parameters }));
  const { user, password } = server;
  const stopping = new AbortController().signal;
  const logins = [{ user, password, database: "postgres" }, undefined];
  const checks = await Promise.all(logins.map((login) => checkServer(address, { login, timeoutMs: 10_000, stopping })));
  expect(checks).toMatchObject([found, found.state === "reached" ? { state: "reached", version: null } : found]);
});
