import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openDirect } from "../core/databases.ts";
import { type FakeRdsProxy, type FakeRdsProxyOptions, startFakeRdsProxy } from "../support/rds-proxy/fake-rds-proxy.ts";
import { ask, useWarmHandler } from "./warm-function.ts";

const MINUTE_MS = 60_000;
const user = `lambda_iam_${randomUUID().replaceAll("-", "")}`;
const region = "eu-central-1";
const first = { accessKeyId: "AKIDFIRST", secretAccessKey: "first/secret", sessionToken: "session+/==token" };
const second = { accessKeyId: "AKIDSECOND", secretAccessKey: "second/secret", sessionToken: "another" };
const query = { do: "query", text: "select session_user as who" } as const;
const deploy = useWarmHandler();

beforeAll(async () => {
  await using direct = await openDirect();
  await direct.query(`create role ${user} login password 'stored'`);
});
afterAll(async () => {
  await using direct = await openDirect();
  await direct.query(`drop role ${user}`);
});

/** As Lambda puts them into the environment. */
const variablesOf = ({ accessKeyId, secretAccessKey, sessionToken }: typeof first) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
});

function startFake(options: Partial<FakeRdsProxyOptions> = {}): Promise<FakeRdsProxy> {
  return startFakeRdsProxy({ server: inject("postgres"), passwords: { [user]: "stored" }, region, credentials: [first], ...options });
}

/** Every invocation logs in. */
function deployBehind({ host, port, ca }: FakeRdsProxy, clockOffMs = 0) {
  const { database } = inject("postgres");
  const place = { host, port, ca, user, database, region, target: "rds-proxy", release: "after-invocation" } as const;
  return deploy({ database: place, clockOffMs, env: variablesOf(first) });
}

test("a function logs in with a token of its own time after a freeze, and with credentials that rotated meanwhile", async () => {
  let aheadMs = 0;
  await using fake = await startFake({ now: () => Date.now() + aheadMs });
  await using deployed = await deployBehind(fake);
  const environment = await deployed.environment();
  expect((await ask(environment, query)).rows).toEqual([{ who: user }]);
  aheadMs = 20 * MINUTE_MS;
  await environment.freezeFor({ wallClockMs: aheadMs });
  expect((await ask(environment, query)).rows).toEqual([{ who: user }]);
  expect([fake.refusals, new Set(fake.tokens).size]).toEqual([[], 2]);

  fake.trust([second]);
  await ask(environment, { do: "become", env: variablesOf(second) });
  expect((await ask(environment, query)).rows).toEqual([{ who: user }]);
  // the token that was kept is tried once
  expect(fake.refusals).toEqual(["unknown credentials"]);
  expect(environment.deaths).toEqual([]);
});

test("a function whose clock is ten minutes behind logs in, for its tokens are good for a quarter of an hour", async () => {
  await using fake = await startFake();
  await using deployed = await deployBehind(fake, -10 * MINUTE_MS);
  expect(await ask(await deployed.environment(), query)).toMatchObject({ rows: [{ who: user }], failure: null });
  expect(fake.refusals).toEqual([]);
});

test("a function whose clock is ten minutes ahead is told by a code that its tokens are refused, and is not ended", async () => {
  await using fake = await startFake();
  await using deployed = await deployBehind(fake, 10 * MINUTE_MS);
  const environment = await deployed.environment();
  expect((await ask(environment, query)).failure).toMatchObject({ code: "28P01", fate: "not-sent" });
  expect([new Set(fake.refusals), environment.deaths]).toEqual([new Set(["not valid yet"]), []]);
});
