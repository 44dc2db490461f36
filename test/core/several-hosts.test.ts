import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { detectRuntime, runtimeNames } from "../../src/decide/detect-runtime.ts";
import { overPool } from "../../src/decide/pool-size.ts";
import { type Platform, planOn } from "../../src/entry/create.ts";
import { poolConfig } from "../../src/entry/make-pool.ts";
import { ConnectionError, createDatabase, type DatabaseOptions } from "../../src/entry/node.ts";
import { WarmPool } from "../../src/entry/pool.ts";
import { startPosing } from "../support/posing-server.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { type RefusingPort, takeRefusingPort } from "../support/refusing-port.ts";
import { startWire } from "../support/wire.ts";
import { failureOf, openDirect, openPool, pgFailureOf, urlAt } from "./databases.ts";
import { openRequest } from "./request/open-request.ts";

interface Place {
  readonly port: number;
}

/** The test database at several places, in order. */
function several(places: readonly Place[], parameters: Readonly<Record<string, string>> = {}): string {
  const url = new URL(urlAt());
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href.replace(`@${url.host}`, `@${places.map(({ port }) => `127.0.0.1:${port}`).join(",")}`);
}

const wanting = (attrs: string) => ({ target_session_attrs: attrs });
const PORT = "select inet_server_port() as port";

const main = inject("postgres");
const standbySays = { in_hot_standby: "on" };
const oldSays = { in_hot_standby: null, default_transaction_read_only: null };

let readOnly: PostgresServer;
let nowhere: RefusingPort;
beforeAll(async () => {
  nowhere = await takeRefusingPort();
  readOnly = await startPostgres({ tls: true, settings: { default_transaction_read_only: "on" } });
  await using direct = await openDirect(readOnly.url());
  // so that one login fits both
  await direct.query("set default_transaction_read_only = off");
  const { password, pathname } = new URL(urlAt());
  await direct.query(`alter role postgres password '${password}'`);
  await direct.query(`create database "${pathname.slice(1)}"`);
});
afterAll(async () => {
  await readOnly.stop();
  await nowhere[Symbol.asyncDispose]();
});

describe.each([
  ["pool", openPool],
  ["request", openRequest],
])("several hosts, on %s", (_name, open) => {
  const ask = async (url: string, options: DatabaseOptions = {}) => {
    await using db = open({ url, ...options });
    return (await db.query<{ port: number }>(PORT)).rows[0]?.port;
  };

  test("are tried in order: the first that answers is taken", async () => {
    expect(await ask(several([nowhere, main, readOnly]))).toBe(main.port);
    expect(await ask(several([nowhere, readOnly, main]))).toBe(readOnly.port);
    expect(await ask(several([main, nowhere]))).toBe(main.port);
  });

  test.each([
    ["read-write", "main"],
    ["read-only", "readOnly"],
    ["primary", "readOnly"],
  ] as const)("%s takes the first of which that holds, past a port where nobody listens", async (attrs, which) => {
    const expected = { main, readOnly }[which];
    expect(await ask(several([nowhere, readOnly, main], wanting(attrs)))).toBe(expected.port);
  });

  test("standby and prefer-standby tell by what a server says, and without one the latter takes what there is", async () => {
    await using posing = await startPosing(main.port, standbySays);
    await using primary = await startPosing(main.port, {});
    for (const attrs of ["standby", "prefer-standby"]) {
      const before = posing.logins();
      await ask(several([nowhere, primary, posing], wanting(attrs)));
      expect(posing.logins()).toBe(before + 1);
    }
    expect(primary.logins()).toBe(2);
    // first for a standby, and then for any
    await ask(several([nowhere, primary], wanting("prefer-standby")));
    expect(primary.logins()).toBe(4);
    expect((await failureOf(ask(several([posing], wanting("primary"))))).message).toMatch(
      /is a standby, and targetSessionAttrs asks for primary/,
    );
  });

  test("from Postgres 14 on no round trip asks what a server is; one does for an older one, which says nothing", async () => {
    const seen: number[] = [];
    for (const says of [{}, oldSays]) {
      await using posing = await startPosing(main.port, says);
      await ask(several([posing], wanting("read-write")));
      seen.push(posing.statements());
    }
    expect(seen).toEqual([1, 2]);
    await using old = await startPosing(readOnly.port, oldSays);
    expect(await ask(several([old, main], wanting("read-write")))).toBe(main.port);
    expect(await ask(several([main, old], wanting("read-only")))).toBe(readOnly.port);
  });

  test("what became of each is in the one error, without a secret", async () => {
    await using other = await takeRefusingPort();
    const error = await failureOf(ask(several([nowhere, readOnly, other], wanting("read-write"))));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent", retryable: true });
    for (const { port } of [nowhere, other]) expect(error.message).toContain(`Connecting to 127.0.0.1:${port} failed (ECONNREFUSED)`);
    expect(error.message).toContain(`127.0.0.1:${readOnly.port} is read-only, and targetSessionAttrs asks for read-write`);
    expect(error.message.match(/Nothing was sent\./g)).toHaveLength(1);
    expect((error.cause as AggregateError).errors).toHaveLength(3);
    expect(inspect(error, { depth: 9 })).not.toContain(new URL(urlAt()).password);
  });

  test("no server is what was asked for: OTHER_SERVER, asked again, for it may become one", async () => {
    const error = await failureOf(ask(several([readOnly, readOnly], wanting("read-write"))));
    expect(error).toMatchObject({ code: "OTHER_SERVER", fate: "not-sent", retryable: true });
  });

  test("a refused login ends it, as the next server would refuse it too, and has the hosts before as its cause", async () => {
    const url = several([nowhere, main, readOnly]).replace(/\/[^/?]*(\?|$)/, "/no_such_database$1");
    const error = await failureOf(ask(url));
    expect(error).toMatchObject({ name: "DatabaseError", code: "3D000" });
    expect((error.cause as AggregateError).errors).toEqual([expect.objectContaining({ code: "CONNECT_FAILED" })]);
  });

  test("connectTimeoutMs bounds each host, so one that swallows everything leaves time for the next", async () => {
    await using wire = await startWire(main);
    wire.hold();
    expect(await ask(several([wire, main]), { connectTimeoutMs: 300 })).toBe(main.port);
  });

  test("a server that is gone is left for the next", async () => {
    const first = await startPosing(main.port, {});
    await using db = open({ url: several([first, readOnly]) });
    const port = async () => (await db.query<{ port: number }>(PORT, [], { idempotent: true })).rows[0]?.port;
    expect(await port()).toBe(main.port);
    await first[Symbol.asyncDispose]();
    expect(await port()).toBe(readOnly.port);
  });

  test("with one host target_session_attrs holds, too", async () => {
    expect(await failureOf(ask(several([readOnly], wanting("read-write"))))).toMatchObject({ code: "OTHER_SERVER" });
  });

  test("the plan has them in order", async () => {
    await using db = open({ url: several([nowhere, main], wanting("primary")) });
    expect(db.plan.server).toMatchObject({
      host: "127.0.0.1",
      port: nowhere.port,
      others: [{ host: "127.0.0.1", port: main.port }],
      targetSessionAttrs: "primary",
    });
  });
});

describe("what several hosts are beside connections", () => {
  test("hosts in another order are another identity, and what is wanted of them, too", async () => {
    const name = "several_hosts_identity";
    const ports: unknown[] = [];
    await using one = openPool({ name, url: several([main, readOnly]) });
    await using two = openPool({ name, url: several([readOnly, main]) });
    await using three = openPool({ name, url: several([main, readOnly], wanting("read-only")) });
    for (const db of [one, two, three]) ports.push((await db.query<{ port: number }>(PORT)).rows[0]?.port);
    expect(ports).toEqual([main.port, readOnly.port, readOnly.port]);
  });

  test("a pool takes them in pg's spelling, shows no secret, and rejects with Node's error of the last", async () => {
    const url = new URL(urlAt());
    const { username: user, password, pathname } = url;
    const port = `${nowhere.port},${main.port}`;
    const pool = new WarmPool({ host: "127.0.0.1,127.0.0.1", port, user, password, database: pathname.slice(1) });
    expect((await pool.query(PORT)).rows).toEqual([{ port: main.port }]);
    expect(inspect(pool.options, { depth: 9 })).not.toContain(password);
    await pool.end();
    const nobody = new WarmPool({ connectionString: several([nowhere, nowhere]) });
    expect(await pgFailureOf(nobody.query(PORT))).toMatchObject({ code: "ECONNREFUSED", fate: "not-sent" });
    await nobody.end();
  });

  test("each is verified by TLS, and one that speaks none, or has another certificate, ends it", async () => {
    const certificate = (file: string) => fileURLToPath(new URL(`../support/tls/${file}.pem`, import.meta.url));
    const tls = (ca: string) => ({ sslmode: "require", sslrootcert: certificate(ca) });
    await using verified = openPool({ url: several([nowhere, readOnly], tls("ca")) });
    expect((await verified.query(PORT)).rowCount).toBe(1);
    await using strange = openPool({ url: several([nowhere, readOnly, readOnly], tls("faulty-ca")) });
    const error = await failureOf(strange.query(PORT));
    expect(error).toMatchObject({ code: "TLS_FAILED", retryable: false });
    expect((error.cause as AggregateError).errors).toHaveLength(2);
    await using plain = openPool({ url: several([main, readOnly], tls("ca")) });
    expect(await failureOf(plain.query(PORT))).toMatchObject({ code: "TLS_FAILED" });
  });

  test("an IAM token is signed for each", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    const hosts = ["a", "b"].map((name) => `${name}.c9akciq32.eu-west-1.rds.amazonaws.com`);
    const platform = {
      runtimes: runtimeNames,
      runtime: () => detectRuntime({ global: globalThis, env: {} }, "node"),
      env: () => ({}),
      available: () => ({ choices: [overPool], webSocket: false }),
    } as unknown as Platform;
    const { settings, plan } = planOn(platform, { host: hosts.join(), port: "5432,5433", user: "u", database: "d" });
    const { servers = [] } = poolConfig(settings, plan, { driver: {}, timeoutMs: undefined });
    const tokens = await Promise.all(servers.map(({ password }) => (password as () => Promise<string>)()));
    expect(tokens.map((token) => token.slice(0, token.indexOf("/")))).toEqual([`${hosts[0]}:5432`, `${hosts[1]}:5433`]);
    vi.unstubAllEnvs();
  });

  test("over HTTP the service finds the server: several are refused, and what is wanted of one is warned of", () => {
    const db = (url: string) => createDatabase({ url, transport: "http", endpoint: "http://localhost:1" });
    expect(() => db(several([main, readOnly])).plan).toThrow(/host must be one over HTTP, where the service finds the server/);
    expect(db(several([main], wanting("primary"))).plan.warnings).toEqual([
      "targetSessionAttrs primary is not asked for over HTTP, where the service chooses the server.",
    ]);
  });

  test("they are read from libpq's variables", () => {
    const env = {
      PGHOST: "a,b",
      PGPORT: "1,2",
      PGTARGETSESSIONATTRS: "standby",
      PGUSER: "u",
      PGDATABASE: "d",
      PGTZ: "UTC",
      PGSSLMODE: "disable",
    };
    const { plan } = createDatabase({ env });
    expect(plan.server).toEqual({ host: "a", port: 1, others: [{ host: "b", port: 2 }], targetSessionAttrs: "standby", database: "d" });
    expect(plan.warnings).toContain("Variables that are not read: PGTZ. Write what they stand for as options or in the URL.");
    expect(() => createDatabase({ env: { PGSERVICE: "shop" } }).plan).toThrow(/PGSERVICE is not read/);
  });
});

test("a connection that is given up at one host is tried at no other", async () => {
  await using silent = await startWire(main);
  await using second = await startWire(main);
  silent.hold();
  await using db = openPool({ url: several([silent, second]), warmUp: false, connectTimeoutMs: 20_000 });
  const warming = failureOf(db.warmUp());
  await expect.poll(() => silent.connections()).toBe(1);
  await db.release();
  expect(await warming).toMatchObject({ code: "ABORTED" });
  // meanwhile it would have been dialled, and have logged in
  await using direct = await openDirect();
  await direct.query("select 1");
  expect(second.connections()).toBe(0);
});
