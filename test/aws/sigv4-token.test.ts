import { DsqlSigner } from "@aws-sdk/dsql-signer";
import { Signer } from "@aws-sdk/rds-signer";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { AwsCredentials } from "../../src/aws/credentials.ts";
import { signToken, type TokenTarget } from "../../src/aws/sigv4-token.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** What AWS's own signer gives at this moment. */
async function signedByAws(
  target: Parameters<typeof signToken>[0],
  credentials: Parameters<typeof signToken>[1],
  at: number,
): Promise<string> {
  vi.useFakeTimers({ toFake: ["Date"], now: at });
  const { host, port, user, region } = target;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  if (target.service === "dsql") {
    const signer = new DsqlSigner({ hostname: host, region, credentials: identity });
    return user === "admin" ? signer.getDbConnectAdminAuthToken() : signer.getDbConnectAuthToken();
  }
  return new Signer({ hostname: host, port, username: user, region, credentials: identity }).getAuthToken();
}

const target = {
  service: "rds-db",
  host: "app.proxy-c1.eu-central-1.rds.amazonaws.com",
  port: 5432,
  user: "app",
  region: "eu-central-1",
} as const;
const cluster = { service: "dsql", host: "kiabcdefghijklmnopqrstu.dsql.us-east-2.on.aws", region: "us-east-2" } as const;
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: undefined,
  expiresAt: null,
};
const at = Date.UTC(2026, 10, 21, 21, 30, 59, 999);

describe("our own token equals that of AWS' own signer byte for byte", () => {
  test.each<[string, Partial<TokenTarget>, Partial<AwsCredentials>, number]>([
    ["with lasting credentials", {}, {}, at],
    ["with a session token that holds + / = and spaces", {}, { sessionToken: "IQoJb3JpZ2lu+//Xb=A b%2B&c==" }, at],
    ["for a user with signs that need escaping", { user: "it's a (user)*!~-_./?&=+%@ü–𝒳" }, {}, at],
    ["for a user that looks like a parameter", { user: "x&X-Amz-SignedHeaders=host" }, {}, at],
    ["in another region and partition", { host: "db.c1.cn-north-1.rds.amazonaws.com.cn", region: "cn-north-1" }, {}, at],
    ["at another port", { port: 61_234 }, {}, at],
    ["for a host in upper case", { host: "DB.C1.EU-CENTRAL-1.rds.amazonaws.com" }, {}, at],
    ["on the first second of a year", {}, {}, Date.UTC(2027, 0, 1)],
    ["for a key with signs that need escaping", {}, { accessKeyId: "AKID/+= '" }, at],
    ["for Aurora DSQL", cluster, { sessionToken: "IQoJb3JpZ2lu+//Xb=A b%2B&c==" }, at],
    ["for its admin", { ...cluster, user: "admin" }, {}, at],
    ["for one who is called nearly so", { ...cluster, user: "Admin" }, {}, at],
    ["behind its PrivateLink", { ...cluster, host: "kiabc.dsql-fnh4.us-east-2.on.aws", port: 61_234 }, {}, at],
  ])("%s", async (_, place, keys, time) => {
    const [where, who] = [
      { ...target, ...place },
      { ...credentials, ...keys },
    ];
    const theirs = await signedByAws(where, who, time);
    expect(theirs).toContain("X-Amz-Signature=");
    expect(signToken(where, who, time)).toBe(theirs);
  });
});

test("a token holds no secret", () => {
  expect(signToken(target, credentials, at)).not.toContain("wJalrXUtnFEMI");
});
