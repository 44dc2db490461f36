import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import { eventsOf, failureOf, openDirect } from "../core/databases.ts";
import { type FakeRdsProxy, type FakeRdsProxyOptions, startFakeRdsProxy } from "../support/rds-proxy/fake-rds-proxy.ts";

const user = "aws_database";
const region = "eu-central-1";
const first = { accessKeyId: "AKIDFIRST", secretAccessKey: "first/secret", sessionToken: "session+/==token" };
const second = { accessKeyId: "AKIDSECOND", secretAccessKey: "second/secret", sessionToken: "another" };

beforeAll(async () => {
  await using direct = await openDirect();
  await direct.query(`create role ${user} login password 'stored'`);
});
afterAll(async () => {
  await using direct = await openDirect();
  await direct.query(`drop role ${user}`);
});
beforeEach(() => {
  become(first);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Puts credentials into the environment, as Lambda does. */
function become({ accessKeyId, secretAccessKey, sessionToken }: typeof first): void {
  vi.stubEnv("AWS_PROFILE", undefined);
  vi.stubEnv("AWS_ACCESS_KEY_ID", accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", sessionToken);
}

function startFake(options: Partial<FakeRdsProxyOptions> = {}): Promise<FakeRdsProxy> {
  return startFakeRdsProxy({ server: inject("postgres"), passwords: { [user]: "stored" }, region, credentials: [first], ...options });
}

function open({ host, port, ca }: FakeRdsProxy, options: DatabaseOptions = {}) {
  const { database } = inject("postgres");
  const place = { host, port, ca, user, database, region, target: "rds-proxy" } as const;
  return createDatabase({ ...place, name: randomUUID(), deadlineMs: 10_000, ...options });
}

describe("a database behind RDS Proxy", () => {
  test("logs in with a token where no password was given", async () => {
    await using fake = await startFake();
    await using db = open(fake);
    expect(await db.sql`select session_user as who`).toEqual([{ who: user }]);
    expect(fake).toMatchObject({ logins: 1, refusals: [] });
  });

  test.each([["proxy"], ["instance"]] as const)(
    "signs once more by itself when a %s refuses the token, and the call succeeds",
    async (kind) => {
      await using fake = await startFake({ kind });
      await using db = open(fake, { max: 2 });
      const [begun, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const holding = db.session(async (held) => {
        await held.query("select 1");
        begun.resolve();
        await asked.promise;
      });
      await begun.promise;
      fake.trust([second]);
      become(second);
      expect((await db.query("select 1")).via.attempts).toBe(2);
      asked.resolve();
      await holding;
      expect(fake).toMatchObject({ logins: 2, refusals: ["unknown credentials"] });
      expect(db.stats().retries).toBe(1);
    },
  );

  test("gives up after the second token is refused", async () => {
    await using fake = await startFake({ credentials: [] });
    await using db = open(fake);
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "28P01", fate: "not-sent" });
    expect(fake.tokens).toHaveLength(2);
  });

  test("says where credentials come from when there are none, at once", async () => {
    await using fake = await startFake();
    vi.stubEnv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z");
    await using db = open(fake);
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "CREDENTIALS_EXPIRED", fate: "not-sent" });
    expect(db.stats().retries).toBe(0);
  });

  test("trusts the certificates in the file the setting ca names", async () => {
    await using fake = await startFake();
    const folder = await mkdtemp(join(tmpdir(), "warmline-ca-"));
    writeFileSync(join(folder, "ca.pem"), fake.ca);
    await using db = open(fake, { ca: join(folder, "ca.pem") });
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
    await rm(folder, { recursive: true });
    await using other = open(fake, { ca: join(folder, "ca.pem") });
    expect(await failureOf(other.query("select 1"))).toMatchObject({ name: "ConfigError", setting: "ca" });
  });

  test("reports a statement that pins once, with the reason", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using fake = await startFake();
    await using db = open(fake);
    const pin = "select set_config('app.user', $1, false)";
    for (let round = 0; round < 2; round++) await db.session((session) => session.query(pin, ["canary"]));
    await db.query("select set_config('app.user', $1, true)", ["canary"]);
    const pins = warn.mock.calls.map(String).filter((text) => text.includes("pins"));
    expect(pins).toEqual([expect.stringContaining("set_config")]);
    expect(pins.join()).not.toContain("canary");
  });

  test.each<[string, (db: Database) => Promise<unknown>]>([
    ["a batch", (db) => db.batch([sql`select 1`, sql`set work_mem = '321kB'`])],
    ["a transaction", (db) => db.transaction((tx) => tx.query("set work_mem = '321kB'"))],
    ["a script", (db) => db.script("select 1; set work_mem = '321kB'")],
    ["a session", (db) => db.session((session) => session.query("set work_mem = '321kB'"))],
  ])("reports what pins in %s", async (_, send) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using fake = await startFake();
    await using db = open(fake);
    await send(db);
    await expect.poll(() => warn.mock.calls.map(String).filter((text) => text.includes("pins"))).toHaveLength(1);
  });
});

test("a session that pins behind RDS Proxy ends its connection, and no other does", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await using fake = await startFake();
  await using db = open(fake, { max: 1 });
  const discards = eventsOf(db, "discard");
  const use = (text: string) => db.session(async (session) => (await session.query(text)).via.connectionId);
  const first = await use("select 1");
  await db.transaction((tx) => tx.query("set local work_mem = '321kB'"));
  expect(await use("set work_mem = '321kB'")).toBe(first);
  expect(await use("select 1")).not.toBe(first);
  await db.transaction((tx) => tx.query("set work_mem = '321kB'"));
  expect(await db.sql`show work_mem`).toEqual([{ work_mem: "4MB" }]);
  expect(discards.map(({ reason }) => reason)).toEqual(["state", "state"]);
  expect(fake.logins).toBe(3);
});

describe("settings that contradict IAM are refused", () => {
  test.each<[string, DatabaseOptions]>([
    ["auth", { target: "postgres", auth: "iam" }],
    ["password", { auth: "iam", password: "p" }],
    ["sslMode", { sslMode: "no-verify", ca: undefined }],
    ["region", { region: undefined }],
  ])("%s", async (setting, options) => {
    vi.stubEnv("AWS_REGION", "");
    vi.stubEnv("AWS_DEFAULT_REGION", "");
    await using fake = await startFake();
    // what the options tell is refused before the first call
    const ask = async () => {
      await using db = open(fake, options);
      return await db.query("select 1");
    };
    expect(await failureOf(ask())).toMatchObject({ name: "ConfigError", setting });
    expect(fake.tokens).toEqual([]);
  });
});
