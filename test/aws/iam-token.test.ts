import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { TOKEN_MARGIN_MS } from "../../src/aws/iam-token.ts";
import { signToken } from "../../src/aws/sigv4-token.ts";
import { type IamLoginOptions, iamLogin } from "../../src/entry/iam-login.ts";

const MINUTE_MS = 60_000;
const start = Date.UTC(2026, 10, 21, 12);
const login = { service: "rds-db", host: "app.proxy-c1.eu-central-1.rds.amazonaws.com", port: 5432, user: "app", region: null } as const;
const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "canary/secret" };

/** A source with a clock in the test's hands, and a signer that counts. */
function counted(options: { readonly credentialsExpireAt?: number } = {}) {
  const state = { now: start, signings: 0 };
  const source = iamLogin({
    ...login,
    env: () => ({}),
    now: () => state.now,
    sign: async () => ({ token: `token ${++state.signings}`, credentialsExpireAt: options.credentialsExpireAt ?? null }),
  });
  return { state, source };
}

function fromEnvironment(env: Record<string, string>, options: Partial<IamLoginOptions> = {}) {
  return iamLogin({ ...login, env: () => env, now: () => start, ...options });
}

describe("a token", () => {
  test("is kept for fifteen minutes less the margin, by the wall clock", async () => {
    const { state, source } = counted();
    await source.token();
    state.now = start + 15 * MINUTE_MS - TOKEN_MARGIN_MS - 1;
    expect(await source.token()).toBe("token 1");
    state.now++;
    expect(await source.token()).toBe("token 2");
    expect(await source.token()).toBe("token 2");
  });

  test("is kept no longer than its credentials live, less the margin", async () => {
    const { state, source } = counted({ credentialsExpireAt: start + 5 * MINUTE_MS });
    await source.token();
    state.now = start + 5 * MINUTE_MS - TOKEN_MARGIN_MS - 1;
    expect(await source.token()).toBe("token 1");
    state.now++;
    expect(await source.token()).toBe("token 2");
  });

  test("is signed once for all who ask at once", async () => {
    const { state, source } = counted();
    expect(new Set(await Promise.all(Array.from({ length: 20 }, source.token)))).toEqual(new Set(["token 1"]));
    expect(state.signings).toBe(1);
  });

  test("is signed anew once after the server refused it, however many logins it failed", async () => {
    const { state, source } = counted();
    const given = await Promise.all([source.token(), source.token()]);
    for (const token of given) source.refused(token);
    expect(await source.token()).toBe("token 2");
    for (const token of given) source.refused(token);
    expect(await source.token()).toBe("token 2");
    expect(state.signings).toBe(2);
  });

  test("is signed anew when the clock was set back behind its signing", async () => {
    const { state, source } = counted();
    await source.token();
    state.now = start - 1;
    expect(await source.token()).toBe("token 2");
  });

  test("is asked for again after a signing that failed", async () => {
    let calls = 0;
    const source = fromEnvironment(
      {},
      {
        sign: async () => {
          if (++calls === 1) throw new Error("no luck");
          return { token: "second", credentialsExpireAt: null };
        },
      },
    );
    await expect(Promise.all([source.token(), source.token()])).rejects.toThrow("no luck");
    expect(await source.token()).toBe("second");
    expect(calls).toBe(2);
  });

  test("is signed with the environment's credentials of the moment", async () => {
    const env: Record<string, string> = { ...keys };
    const source = fromEnvironment(env);
    const first = await source.token();
    Object.assign(env, { AWS_ACCESS_KEY_ID: "AKIDROTATED", AWS_SESSION_TOKEN: "new+session" });
    expect(await source.token()).toBe(first);
    source.refused(first);
    const target = { ...login, region: "eu-central-1" };
    const rotated = { accessKeyId: "AKIDROTATED", secretAccessKey: "canary/secret", sessionToken: "new+session", expiresAt: null };
    expect(await source.token()).toBe(signToken(target, rotated, start));
  });

  test("is shown by nothing that walks its source", async () => {
    const source = fromEnvironment(keys);
    const token = await source.token();
    expect(inspect(source, { depth: 9, showHidden: true }) + JSON.stringify(source)).not.toContain(token.slice(-40));
  });
});

describe("credentials", () => {
  test("that have ended are told as such, with the remedy, before a login is tried", async () => {
    const source = fromEnvironment({ ...keys, AWS_CREDENTIAL_EXPIRATION: "2026-11-21T11:59:59Z" });
    const failure = await source.token().catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "ConnectionError", code: "CREDENTIALS_EXPIRED", fate: "not-sent", retryable: false });
    expect(String(failure)).toMatch(/ended at 2026-11-21T11:59:59.000Z.*aws sso login/);
    expect(String(failure)).not.toContain("canary");
  });

  test("that end within the margin sign for the login at hand", async () => {
    const source = fromEnvironment({ ...keys, AWS_CREDENTIAL_EXPIRATION: "2026-11-21T12:00:30Z" });
    expect(await source.token()).toContain("X-Amz-Signature=");
  });
});

describe("the region", () => {
  const regionOf = async (options: Partial<IamLoginOptions>, env: Record<string, string> = {}) =>
    /%2F\d{8}%2F(.*)%2Frds-db/.exec(await fromEnvironment({ ...keys, ...env }, options).token())?.[1];

  test.each([
    ["the host of a proxy", "app.proxy-c1.us-gov-west-1.rds.amazonaws.com", "us-gov-west-1"],
    ["the host of an instance", "db.c1.ap-southeast-2.rds.amazonaws.com", "ap-southeast-2"],
    ["the host of a cluster in China", "db.cluster-ro-c1.cn-north-1.rds.amazonaws.com.cn", "cn-north-1"],
    ["a host in upper case", "DB.C1.EU-WEST-1.RDS.AMAZONAWS.COM", "eu-west-1"],
  ])("is told by %s, whatever the environment says", async (_, host, region) => {
    expect(await regionOf({ host }, { AWS_REGION: "eu-north-1" })).toBe(region);
  });

  test.each([
    ["the setting", { region: "eu-south-1" }, { AWS_REGION: "eu-north-1" }, "eu-south-1"],
    ["AWS_REGION", {}, { AWS_REGION: "eu-north-1", AWS_DEFAULT_REGION: "eu-west-3" }, "eu-north-1"],
    ["AWS_DEFAULT_REGION", {}, { AWS_REGION: "", AWS_DEFAULT_REGION: "eu-west-3" }, "eu-west-3"],
  ])("is told by %s where the host does not", async (_, options, env, region) => {
    expect(await regionOf({ host: "db.global-c1.global.rds.amazonaws.com", ...options }, env)).toBe(region);
  });

  test("that nobody tells is a missing setting", () => {
    expect(() => fromEnvironment(keys, { host: "localhost" })).toThrow(
      expect.objectContaining({
        name: "ConfigError",
        code: "MISSING_SETTING",
        setting: "region",
        message: expect.stringContaining("AWS_REGION"),
      }),
    );
  });

  test("that contradicts the host is refused", () => {
    expect(() => fromEnvironment(keys, { region: "us-east-1" })).toThrow(
      expect.objectContaining({
        name: "ConfigError",
        code: "INVALID_SETTING",
        setting: "region",
        message: expect.stringContaining("eu-central-1"),
      }),
    );
  });
});

describe("other sources of credentials", () => {
  let folder = "";
  const files = { AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: "/dev/null" };

  /** Stands in for the process's environment, which is where AWS's chain looks. */
  async function inFolder(env: Record<string, string>, credentialsFile = ""): Promise<void> {
    folder = await mkdtemp(join(tmpdir(), "warmline-aws-"));
    const path = join(folder, "credentials");
    await writeFile(path, credentialsFile);
    for (const name of ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) vi.stubEnv(name, undefined);
    for (const [name, value] of Object.entries({ ...files, AWS_SHARED_CREDENTIALS_FILE: path, ...env })) vi.stubEnv(name, value);
  }

  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
    await rm(folder, { recursive: true, force: true });
  });

  const fromProcess = (own: Partial<IamLoginOptions> = {}) => iamLogin({ ...login, env: () => process.env, now: () => start, ...own });
  const cluster = { service: "dsql", host: "kiabc.dsql.eu-central-1.on.aws" } as const;

  test.each<[string, Partial<IamLoginOptions>]>([
    ["RDS", {}],
    ["Aurora DSQL", cluster],
    ["its admin", { ...cluster, user: "admin" }],
  ])("are found by AWS's own signer for %s: a profile, also beside credentials in the environment", async (_, own) => {
    await inFolder({ AWS_PROFILE: "work", ...keys }, "[work]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = profile/secret\n");
    vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const profile = { accessKeyId: "AKIDPROFILE", secretAccessKey: "profile/secret", sessionToken: undefined, expiresAt: null };
    expect(await fromProcess(own).token()).toBe(signToken({ ...login, ...own, region: "eu-central-1" }, profile, start));
    vi.restoreAllMocks();
  });

  test("bound the life of a token with their own end", async () => {
    await inFolder({ AWS_PROFILE: "brief" });
    const identity = {
      Version: 1,
      AccessKeyId: "AKIDPROCESS",
      SecretAccessKey: "s",
      SessionToken: "t",
      Expiration: "2026-11-21T12:05:00Z",
    };
    const script = join(folder, "identity.json");
    await writeFile(script, JSON.stringify(identity));
    await writeFile(join(folder, "credentials"), `[brief]\ncredential_process = cat ${script}\n`);
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    let now = start;
    const source = iamLogin({ ...login, env: () => process.env, now: () => now });
    const first = await source.token();
    expect(first).toContain("AKIDPROCESS");
    await writeFile(script, JSON.stringify({ ...identity, AccessKeyId: "AKIDNEXT", Expiration: "2026-11-21T13:00:00Z" }));
    now = start + 4 * MINUTE_MS - 1;
    expect(await source.token()).toBe(first);
    now++;
    expect(await source.token()).toContain("AKIDNEXT");
  });

  test("that are nowhere make NO_CREDENTIALS with what to do", async () => {
    await inFolder({ HOME: "/nonexistent" });
    const failure = await fromProcess()
      .token()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "ConnectionError", code: "NO_CREDENTIALS", fate: "not-sent", retryable: false });
    expect(failure).toMatchObject({ cause: { name: "CredentialsProviderError" } });
    expect(String(failure)).toContain("AWS_PROFILE");
  });

  test("need the signer's package, and say so where it is not installed", async () => {
    await inFolder({});
    for (const part of ["aws", "errors", "syntax"]) {
      await cp(fileURLToPath(new URL(`../../src/${part}`, import.meta.url)), join(folder, part), { recursive: true });
    }
    await writeFile(
      join(folder, "main.ts"),
      `import { iamPassword } from "./aws/iam-token.ts";
       for (const service of ["rds-db", "dsql"]) {
         const source = iamPassword({ ...${JSON.stringify({ ...login, region: "eu-central-1" })}, service, env: () => ({}), now: Date.now });
         await source.token().catch(({ name, code, setting, message }) => console.log(JSON.stringify({ name, code, setting, message })));
       }`,
    );
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "main.ts")]);
    const told = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(told).toMatchObject(
      ["rds-signer", "dsql-signer"].map((name) => ({
        name: "ConfigError",
        code: "SIGNER_MISSING",
        setting: "auth",
        message: expect.stringContaining(`npm install @aws-sdk/${name}`),
      })),
    );
  });
});
