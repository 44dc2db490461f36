import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { signWithRdsSigner } from "../../src/aws/rds-signer.ts";
import { signToken, type TokenTarget } from "../../src/aws/sigv4-token.ts";
import { trustedCertificates } from "../../src/aws/tls.ts";
import { type IamLoginOptions, iamLogin } from "../../src/entry/iam-login.ts";
import { WarmPool } from "../../src/transports/pool/warm-pool.ts";
import { openDirect, until } from "../core/databases.ts";
import { type FakeRdsProxy, type FakeRdsProxyOptions, startFakeRdsProxy } from "../support/rds-proxy/fake-rds-proxy.ts";

const user = "aws_it's+an/app=user";
const password = "only the proxy knows";
const region = "eu-central-1";
const first = { accessKeyId: "AKIDFIRST", secretAccessKey: "first/secret+key", sessionToken: "session+/==token" };
const second = { accessKeyId: "AKIDSECOND", secretAccessKey: "second/secret" };

beforeAll(async () => {
  await using direct = await openDirect();
  await direct.query(`create role "${user}" login password '${password}'`);
});
afterAll(async () => {
  await using direct = await openDirect();
  await direct.query(`drop role "${user}"`);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function startFake(options: Partial<FakeRdsProxyOptions> = {}): Promise<FakeRdsProxy> {
  return startFakeRdsProxy({ server: inject("postgres"), passwords: { [user]: password }, region, credentials: [first], ...options });
}

function environmentOf({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}) {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
  };
}

/** Tokens for a fake, signed with the first credentials unless told otherwise. */
function tokensFor({ host, port }: { host: string; port: number }, options: Partial<IamLoginOptions> = {}) {
  return iamLogin({ service: "rds-db", host, port, user, region, env: () => environmentOf(first), now: Date.now, ...options });
}

/** What pg and the pool are told, save the password. */
function place({ host, port, ca }: FakeRdsProxy) {
  const trusted = trustedCertificates({ target: "rds-proxy", onLambda: false, ca, readFile: (path) => readFileSync(path, "utf8") });
  return { host, port, user, database: inject("postgres").database, ssl: { ca: trusted ?? undefined, rejectUnauthorized: true } };
}

async function logIn(fake: FakeRdsProxy, config: object): Promise<{ readonly rows: readonly unknown[] }> {
  const client = new Client({ ...place(fake), ...config });
  client.on("error", () => {});
  try {
    await client.connect();
    return await client.query("select session_user as who, inet_server_port() as port");
  } finally {
    await client.end();
  }
}

describe("a login at RDS Proxy", () => {
  test("succeeds with a token from a function, and reaches Postgres with the proxy's own password", async () => {
    await using fake = await startFake();
    const { rows } = await logIn(fake, { password: tokensFor(fake).token });
    expect(rows).toEqual([{ who: user, port: inject("postgres").port }]);
    expect(fake).toMatchObject({ logins: 1, refusals: [], tokens: { length: 1 } });
  });

  test("succeeds with a token of AWS's own signer", async () => {
    await using fake = await startFake({ credentials: [second] });
    for (const [name, value] of Object.entries({ AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined, ...environmentOf(second) })) {
      vi.stubEnv(name, value);
    }
    const { token } = await signWithRdsSigner({ host: fake.host, port: fake.port, user, region });
    expect((await logIn(fake, { password: token })).rows).toHaveLength(1);
  });

  test.each<[string, Partial<IamLoginOptions>, string]>([
    ["expired", { now: () => Date.now() - 900_000 }, "expired"],
    ["of the future", { now: () => Date.now() + 600_000 }, "not valid yet"],
    ["for another host", { host: "127.0.0.1" }, "another host"],
    ["for another port", { port: 5432 }, "another host"],
    ["for another user", { user: "postgres" }, "another user"],
    ["for another region", { region: "us-east-1" }, "another region"],
    ["of unknown credentials", { env: () => environmentOf(second) }, "unknown credentials"],
    ["without its session token", { env: () => ({ ...environmentOf(first), AWS_SESSION_TOKEN: "" }) }, "another session token"],
    ["signed with another secret", { env: () => ({ ...environmentOf(first), AWS_SECRET_ACCESS_KEY: "guess" }) }, "another signature"],
  ])("is refused with a token %s", async (_, options, fault) => {
    await using fake = await startFake();
    await expect(logIn(fake, { password: tokensFor(fake, options).token })).rejects.toMatchObject({ code: "28P01" });
    expect(fake).toMatchObject({ refusals: [fault], logins: 0 });
  });

  test.each([
    ["DBUser", "another user"],
    ["X-Amz-Date", "no date"],
    ["X-Amz-Expires", "another lifetime"],
    ["X-Amz-Signature", "another signature"],
    ["Action", "another action"],
  ])("is refused with a token whose %s was tampered with", async (name, fault) => {
    await using fake = await startFake();
    const token = await tokensFor(fake).token();
    const tampered = token.replace(new RegExp(`(${name}=[^&]*)[^&]`), "$1_");
    await expect(logIn(fake, { password: tampered })).rejects.toMatchObject({ code: "28P01" });
    expect(fake.refusals).toEqual([fault]);
  });

  test("is refused with the user's own password", async () => {
    await using fake = await startFake();
    await expect(logIn(fake, { password })).rejects.toMatchObject({ code: "28P01" });
  });

  test.each([["statement_timeout"], ["lock_timeout"], ["idle_in_transaction_session_timeout"], ["options"]])(
    "is refused with the startup parameter %s",
    async (name) => {
      await using fake = await startFake();
      const config = { password: tokensFor(fake).token, [name]: name === "options" ? "-c work_mem=1MB" : 1_000 };
      await expect(logIn(fake, config)).rejects.toMatchObject({ code: "0A000" });
      expect(fake).toMatchObject({ refusals: [name], tokens: [] });
    },
  );

  test("is refused in plain text, before a token is sent", async () => {
    await using fake = await startFake();
    await expect(logIn(fake, { password: tokensFor(fake).token, ssl: false })).rejects.toMatchObject({ code: "28000" });
    expect(fake).toMatchObject({ refusals: ["plain text"], tokens: [] });
  });

  test("sends no token to a server whose certificate is not trusted", async () => {
    await using fake = await startFake();
    const { ssl, ...rest } = place(fake);
    const client = new Client({ ...rest, ssl: { ...ssl, ca: undefined }, password: tokensFor(fake).token });
    await expect(client.connect()).rejects.toThrow(/certificate/);
    expect(fake.tokens).toEqual([]);
  });

  test("leaves a CancelRequest without effect", async () => {
    await using fake = await startFake();
    const packet = Buffer.alloc(16);
    for (const [at, value] of [16, 80_877_102, 1, 1].entries()) packet.writeInt32BE(value, at * 4);
    const socket = connect(fake.port, "127.0.0.1", () => socket.write(packet));
    await new Promise((resolve) => socket.once("close", resolve).resume());
    expect(fake.cancelRequests).toBe(1);
  });
});

describe("a warm pool", () => {
  test("signs once for all its connections, and holds them past their token's end", async () => {
    let now = Date.now();
    await using fake = await startFake({ now: () => now });
    let signings = 0;
    const sign = async (target: TokenTarget) => {
      signings++;
      return { token: signToken(target, { ...first, expiresAt: null }, now), credentialsExpireAt: null };
    };
    const pool = new WarmPool({ ...place(fake), password: tokensFor(fake, { sign, now: () => now }).token, max: 5 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
    clients.pop()?.release(true);
    now += 13 * 60_000;
    clients.push(await pool.connect());
    expect(fake).toMatchObject({ logins: 6, refusals: [] });
    now += 60 * 60_000;
    for (const client of clients) {
      expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      client.release();
    }
    expect({ signings, logins: fake.logins }).toEqual({ signings: 1, logins: 6 });
    await pool.end();
    await until(() => fake.sessions === 0);
  });

  test("logs in with a token of its own time after the last one has ended", async () => {
    let now = Date.now();
    await using fake = await startFake({ now: () => now });
    const pool = new WarmPool({ ...place(fake), password: tokensFor(fake, { now: () => now }).token, max: 1 });
    await pool.query("select 1");
    now += 3_600_000;
    const client = await pool.connect();
    client.release(true);
    await pool.query("select 1");
    await pool.end();
    expect(fake).toMatchObject({ logins: 2, refusals: [] });
    expect(new Set(fake.tokens).size).toBe(2);
  });

  test.each([
    ["28P01", "proxy"],
    ["28000", "instance"],
  ] as const)("logs in with a fresh token after %s, when the credentials were rotated", async (code, kind) => {
    await using fake = await startFake({ kind });
    let env = environmentOf(first);
    const source = tokensFor(fake, { env: () => env });
    const pool = new WarmPool({ ...place(fake), password: source.token, max: 1 });
    await pool.query("select 1");
    (await pool.connect()).release(true);

    fake.trust([second]);
    env = environmentOf(second);
    await expect(pool.query("select 1")).rejects.toMatchObject({ code, fate: "not-sent", retryable: true });
    source.refused(fake.tokens.at(-1) ?? "");
    expect((await pool.query("select 1")).rowCount).toBe(1);
    expect(fake).toMatchObject({ logins: 2, refusals: ["unknown credentials"], tokens: { length: 3 } });
    await pool.end();
  });
});
