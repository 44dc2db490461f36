import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { createDatabase } from "../../../src/entry/node.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { takeRefusingPort } from "../../support/refusing-port.ts";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { failureAfter, failureInTime } from "../passing-deadline.ts";
import { stopWallClock } from "./passing-time.ts";

afterEach(() => void vi.restoreAllMocks());

describe("connecting", () => {
  test("says CONNECT_FAILED where nobody listens, after five attempts", async () => {
    await using nowhere = await takeRefusingPort();
    await using db = openPool({ url: urlAt(nowhere) });
    const error = await failureOf(db.query("select 1"));
    expect(error).toMatchObject({ name: "ConnectionError", code: "CONNECT_FAILED", fate: "not-sent", retryable: true });
    expect(error.message).toContain("ECONNREFUSED");
    expect(db.stats().retries).toBe(4);
  });

  test("says CONNECT_TIMEOUT where the server accepts and never answers", async () => {
    await using wire = await startWire(inject("postgres"));
    wire.hold();
    // for the breaker no time passes
    stopWallClock();
    using timers = stopTimers();
    await using db = openPool({ url: urlAt(wire), connectTimeoutMs: 60 });
    expect(await failureInTime(timers, () => db.query("select 1"))).toMatchObject({
      code: "CONNECT_TIMEOUT",
      fate: "not-sent",
      retryable: true,
    });
    await until(() => db.stats().total === 0);
    wire.resume();
    expect((await db.query("select 1")).rowCount).toBe(1);
  });

  test("connects again when the connection is lost before the login ends", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire) });
    const cut = wire.cutAt(({ type }) => type === "startup");
    const { via } = await db.query("select 1");
    await cut;
    expect(via).toMatchObject({ attempts: 2, reused: false });
  });

  test("fails without a second attempt where the database does not exist", async () => {
    await using db = openPool({ database: "no_such_database" });
    expect(await failureOf(db.query("select 1"))).toMatchObject({
      name: "DatabaseError",
      code: "3D000",
      fate: "not-sent",
      retryable: false,
    });
    expect(db.stats().retries).toBe(0);
  });
});

describe("passwords", () => {
  const role = "core_rotating";
  let current = "first";

  beforeAll(async () => {
    await using direct = await openDirect();
    await direct.query(`create role ${role} login password 'first'`);
  });
  afterAll(async () => {
    await using direct = await openDirect();
    await direct.query(`drop role ${role}`);
  });

  async function rotate(password: string): Promise<void> {
    await using direct = await openDirect();
    await direct.query(`alter role ${role} password '${password}'`);
    current = password;
  }

  test("asks the function for every connection, and for nothing else", async () => {
    let calls = 0;
    await using db = openPool({
      user: role,
      max: 2,
      password: async () => {
        calls++;
        return current;
      },
    });
    await Promise.all([db.query("select pg_sleep(0.05)"), db.query("select pg_sleep(0.05)")]);
    await db.query("select 1");
    expect(calls).toBe(2);
  });

  test("asks once more when the server refuses what the function gave", async () => {
    await rotate("second");
    const given = ["first", "second"];
    await using db = openPool({ user: role, password: () => given.shift() ?? "none" });
    expect((await db.query("select 1")).via.attempts).toBe(2);
    expect(given).toEqual([]);
  });

  test("gives up when the second password is refused too", async () => {
    let calls = 0;
    await using db = openPool({ user: role, password: async () => `wrong ${++calls}` });
    expect(await failureOf(db.query("select 1"))).toMatchObject({ name: "DatabaseError", code: "28P01", fate: "not-sent" });
    expect(calls).toBe(2);
  });

  test("tries a password of plain text once", async () => {
    await using db = openPool({ user: role, password: "wrong" });
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "28P01", fate: "not-sent", retryable: false });
    expect(db.stats().retries).toBe(0);
  });

  test("says PASSWORD_FAILED when the function throws, and nothing of what it threw", async () => {
    await using db = openPool({
      user: role,
      password: () => {
        throw new RangeError("vault said hunter2");
      },
    });
    const error = await failureOf(db.query("select 1"));
    expect(error).toMatchObject({ code: "PASSWORD_FAILED", fate: "not-sent" });
    expect(error.message).toContain("RangeError");
    expect(`${error.stack} ${String(error.cause)}`).not.toContain("hunter2");
  });

  test("names the missing setting when the server asks for a password and there is none", async () => {
    const { host, port, user, database } = inject("postgres");
    await using db = createDatabase({ host, port, user, database, transport: "pool", name: "without password" });
    expect(await failureOf(db.query("select 1"))).toMatchObject({ name: "ConfigError", setting: "password", fate: "not-sent" });
  });
});

describe("a server with TLS and few connections", () => {
  const slots = 6;
  let server: PostgresServer;
  let ca: string;

  beforeAll(async () => {
    server = await startPostgres({
      tls: true,
      settings: { max_connections: String(slots), superuser_reserved_connections: "0", listen_addresses: "127.0.0.1,127.0.0.2" },
    });
    ca = readFileSync(server.ca ?? "", "utf8");
  });
  afterAll(() => server.stop());

  const encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

  test.each([
    ["require", undefined],
    ["verify-full", "direct"],
  ] as const)("is connected to by %s, verified against its authority (negotiation: %s)", async (sslMode, sslNegotiation) => {
    await using db = openPool({ url: server.url(), sslMode, sslNegotiation, ca });
    expect((await db.query(encrypted)).rows).toEqual([{ ssl: true }]);
  });

  const certificate = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}.pem`, import.meta.url));
  const clientName = "select client_dn from pg_stat_ssl where pid = pg_backend_pid()";

  test("is shown the client's certificate, from the options as text, or from the URL by its files", async () => {
    const [cert, key] = [certificate("client"), certificate("client-key")];
    await using db = openPool({ url: server.url(), ca, cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") });
    expect((await db.query(clientName)).rows).toEqual([{ client_dn: "/CN=warmline" }]);
    const parameters = new URLSearchParams({ sslmode: "verify-full", sslrootcert: server.ca ?? "", sslcert: cert, sslkey: key });
    await using other = openPool({ url: `${server.url()}?${parameters}` });
    expect((await other.query(clientName)).rows).toEqual([{ client_dn: "/CN=warmline" }]);
    expect(inspect([db, other], { depth: 9, showHidden: true })).not.toContain("PRIVATE KEY");
  });

  test("is not connected to without the file of the client's key, which is named", async () => {
    await using db = openPool({ url: server.url(), ca, cert: certificate("client"), key: certificate("nobody") });
    expect(await failureOf(db.query(clientName))).toMatchObject({
      name: "ConfigError",
      code: "INVALID_SETTING",
      setting: "key",
      message: expect.stringContaining("(ENOENT)"),
    });
  });

  test("is not trusted without its authority, and not asked again", async () => {
    await using db = openPool({ url: server.url(), sslMode: "require" });
    const error = await failureOf(db.query("select 1"));
    expect(error).toMatchObject({ name: "ConnectionError", code: "TLS_FAILED", fate: "not-sent", retryable: false });
    expect(error.message).toMatch(/certificate .* was not accepted \([A-Z_]+\)/);
    expect(db.stats().retries).toBe(0);
  });

  // only Linux answers on all of 127.0.0.0/8 without being told to
  test.runIf(process.platform === "linux")("is not trusted under a name that its certificate does not hold", async () => {
    await using db = openPool({ url: server.url().replace("127.0.0.1", "127.0.0.2"), sslMode: "require", ca });
    const error = await failureOf(db.query("select 1"));
    expect(error).toMatchObject({ code: "TLS_FAILED", fate: "not-sent", retryable: false });
    expect(error.message).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  test("is encrypted without verification when no-verify says so", async () => {
    await using db = openPool({ url: server.url(), sslMode: "no-verify" });
    expect((await db.query(encrypted)).rows).toEqual([{ ssl: true }]);
  });

  test("is cancelled through an encrypted request", async () => {
    await using db = openPool({ url: server.url(), sslMode: "require", ca });
    await db.query("select 1");
    await using direct = await openDirect(server.url());
    const sleeps = async () => (await direct.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'")).rowCount === 1;
    const late = () => db.query("select pg_sleep(30)", [], { deadlineMs: 100 });
    expect(await failureAfter(late, { ms: 100, once: sleeps })).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
  });

  test("without a free slot is tried three times, and serves when there is one", async () => {
    await using wire = await startWire(server);
    const others: Awaited<ReturnType<typeof openDirect>>[] = [];
    // a slot is free a moment after the session that had it has ended
    await until(async () => {
      const refused = await openDirect(server.url()).then(
        (other) => void others.push(other),
        (error) => error,
      );
      if (refused !== undefined) expect(refused).toMatchObject({ code: "53300" });
      return others.length === slots;
    });
    await using db = openPool({ url: server.url().replace(String(server.port), String(wire.port)) });
    expect(await failureOf(db.query("select 1"))).toMatchObject({
      name: "DatabaseError",
      code: "53300",
      fate: "not-sent",
      retryable: true,
      message: expect.stringContaining("Lower max"),
    });
    expect(wire.connections()).toBe(3);
    await Promise.all(others.map((other) => other.end()));
    await using direct = await openDirect(server.url());
    await until(async () => (await direct.query("select 1 from pg_stat_activity where backend_type = 'client backend'")).rowCount === 1);
    expect((await db.query("select 1")).rowCount).toBe(1);
  });

  test("that shuts down says 57P03, which is not sent", async () => {
    const direct = await openDirect(server.url());
    await using db = openPool({ url: server.url() });
    // SIGTERM is Postgres' smart shutdown: who is in may stay, nobody else gets in
    process.kill(server.pid, "SIGTERM");
    await until(() =>
      openDirect(server.url()).then(
        (other) => other.end().then(() => false),
        () => true,
      ),
    );
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "57P03", fate: "not-sent", retryable: true });
    expect(db.stats().retries).toBe(4);
    await direct.end();
  });
});

describe("a server without TLS", () => {
  test("is refused when TLS is asked for, and not asked again", async () => {
    await using db = openPool({ sslMode: "require" });
    const error = await failureOf(db.query("select 1"));
    expect(error).toMatchObject({ code: "TLS_FAILED", fate: "not-sent", retryable: false });
    expect(error.message).toContain("does not speak TLS");
    expect(db.stats().retries).toBe(0);
  });
});
