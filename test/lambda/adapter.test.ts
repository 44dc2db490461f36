import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { until, urlAt } from "../core/databases.ts";
import { bundleLambda } from "../support/lambda/bundle.ts";
import { startWire } from "../support/wire.ts";
import type { WarmOptions } from "./handlers/warm.ts";
import { maxReplyBytes } from "./reply.ts";
import { startSandbox } from "./sandbox.ts";
import { ask, useWarmHandler, type WarmFunction } from "./warm-function.ts";

/** What an HTTP event is answered with. */
interface Reply {
  readonly statusCode: number;
  readonly body: string;
}

const deploy = useWarmHandler();
const query = { do: "query", text: "select 1 as one" } as const;

describe("a handler of lambdaHandler", () => {
  test("keeps its connection from invocation to invocation by default", async () => {
    await using deployed = await deploy({ url: urlAt() });
    const environment = await deployed.environment();
    for (let calls = 1; calls <= 3; calls++) {
      expect((await ask(environment, query)).stats).toMatchObject({ connects: 1 });
      expect(await deployed.backends()).toBe(1);
    }
  });

  describe("with release after-invocation", () => {
    const database = { release: "after-invocation" } as const;
    /** The server ends a session in its own time; a frozen environment would never tell it. */
    const noneIsLeft = (deployed: WarmFunction) => until(async () => (await deployed.backends()) === 0);

    test("leaves no backend behind any invocation, and connects once for each", async () => {
      await using deployed = await deploy({ url: urlAt(), database });
      const environment = await deployed.environment();
      for (let calls = 1; calls <= 3; calls++) {
        expect((await ask(environment, query)).stats).toMatchObject({ connects: calls, total: 1 });
        await noneIsLeft(deployed);
      }
    });

    test("leaves none behind a handler that throws, or that asks nothing while the warm-up connects, which is given up", async () => {
      // a distance, which a login crosses several times: the invocation is over before
      await using wire = await startWire(inject("postgres"), { delayMs: 150 });
      await using deployed = await deploy({ url: urlAt(wire), database });
      const environment = await deployed.environment();
      expect((await ask(environment, { do: "look" })).stats).toMatchObject({ running: 1 });
      await noneIsLeft(deployed);
      const { error } = await environment.invoke({ do: "throw", after: query.text });
      expect(error).toMatchObject({ errorType: "RangeError", errorMessage: "after its query" });
      await noneIsLeft(deployed);
      expect((await ask(environment, query)).stats).toMatchObject({ connects: 2 });
    });
  });

  test("answers where nobody set up a database, and says in the first call what is missing", async () => {
    await using deployed = await deploy({});
    const environment = await deployed.environment();
    expect(await environment.invoke({ do: "reply", bytes: 4 })).toMatchObject({ value: "xx", error: undefined });
    expect((await ask(environment, query)).failure).toMatchObject({ code: "MISSING_SETTING", fate: "not-sent" });
    expect([environment.inits, environment.deaths]).toEqual([1, []]);
  });

  test("passes errors and replies of any size on, and stays usable", async () => {
    await using deployed = await deploy({ url: urlAt() });
    const environment = await deployed.environment();
    expect((await environment.invoke({ do: "throw", after: query.text })).error?.errorType).toBe("RangeError");
    const tooLarge = await environment.invoke({ do: "reply", bytes: maxReplyBytes + 1 });
    expect(tooLarge.error?.errorType).toBe("Function.ResponseSizeTooLarge");
    expect((await environment.invoke({ do: "reply", bytes: maxReplyBytes })).body).toHaveLength(maxReplyBytes);
    expect((await ask(environment, query)).stats).toMatchObject({ connects: 1 });
    expect([environment.inits, environment.deaths]).toEqual([1, []]);
  });
});

describe("when the platform ends its environments", () => {
  const count = 3;

  /** Environments with a connection each, behind a wire that counts farewells. */
  async function openAll(closes: WarmOptions["closes"]) {
    const wire = await startWire(inject("postgres"));
    let farewells = 0;
    wire.onMessage(({ from, type }) => {
      if (from === "client" && type === "X") farewells++;
    });
    // a busy machine may take longer to say farewell than the 500 ms of Lambda
    const deployed = await deploy({ url: urlAt(wire), closes, shutdownMs: 20_000 });
    const environments = await Promise.all(Array.from({ length: count }, () => deployed.environment()));
    for (const environment of environments) await ask(environment, query);
    expect(await deployed.backends()).toBe(count);
    const shutDown = () => Promise.all(environments.map((environment) => environment.stop("SIGTERM")));
    return { wire, deployed, shutDown, farewells: () => farewells };
  }

  test.each([
    ["awaited", true],
    ["not awaited, as in CommonJS", "unawaited"],
    ["called once more, by another module", "again"],
  ] as const)("closeOnShutdown, %s, says farewell for each connection, and the server has its slots back", async (_, closes) => {
    const { wire, deployed, shutDown, farewells } = await openAll(closes);
    expect(await shutDown()).toEqual(Array.from({ length: count }, () => ({ code: 0, signal: null })));
    expect(farewells()).toBe(count);
    await until(async () => (await deployed.backends()) === 0);
    await wire.close();
  });

  test("without it they are killed in their sleep: a machine that is gone says nothing, and its backends stay", async () => {
    const { wire, deployed, shutDown, farewells } = await openAll(false);
    wire.hold("open");
    expect(await shutDown()).toEqual(Array.from({ length: count }, () => ({ code: null, signal: "SIGKILL" })));
    expect([farewells(), await deployed.backends()]).toEqual([0, count]);
    await wire.close();
  });
});

describe("idleSessionTimeoutMs", () => {
  const database = { idleSessionTimeoutMs: 60_000 };
  const show = { do: "query", text: "show idle_session_timeout" } as const;

  test("is told to the server, and past it the connection is replaced without being asked", async () => {
    await using deployed = await deploy({ url: urlAt(), database });
    const environment = await deployed.environment();
    expect(await ask(environment, show)).toMatchObject({ rows: [{ idle_session_timeout: "1min" }], stats: { connects: 1 } });
    await environment.freezeFor({ wallClockMs: 50_000 });
    expect((await ask(environment, show)).stats).toMatchObject({ connects: 1, probes: 1, discarded: 0 });
    await environment.freezeFor({ wallClockMs: 60_000 });
    expect((await ask(environment, show)).stats).toMatchObject({ connects: 2, probes: 1, discarded: 1 });
    expect(await deployed.backends()).toBe(1);
  });

  test("frees the slot of an environment that sleeps, whose next call does not notice", async () => {
    await using deployed = await deploy({ url: urlAt(), database: { idleSessionTimeoutMs: 200 } });
    const environment = await deployed.environment();
    await ask(environment, query);
    await until(async () => (await deployed.backends()) === 0);
    expect(await ask(environment, query)).toMatchObject({ rows: [{ one: 1 }], failure: null });
  });
});

describe("the demo's built handler", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "warmline-handlers-"));
    for (const { path, contents } of (await bundleLambda()).files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), contents);
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("refuses an event of no known shape with a code, and answers the next in the same environment", async () => {
    await using sandbox = await startSandbox({ handler: join(folder, "lambda.handler"), env: { DATABASE_URL: urlAt() } });
    const environment = await sandbox.environment();
    const { error } = await environment.invoke({ Records: [{ body: "canary" }] });
    expect(error).toMatchObject({ errorType: "LambdaEventError", errorMessage: expect.stringContaining("through its URL") });
    expect((await environment.invoke(fromUrl("/ready"))).value).toMatchObject({ statusCode: 200, headers: { "x-invocation": "1" } });
    expect([environment.inits, environment.deaths]).toEqual([1, []]);
  });

  test("answers every form of event in its own form, over one connection, and reads a body of bytes", async () => {
    const env = { DATABASE_URL: urlAt(), API_TOKEN: "t".repeat(40) };
    await using sandbox = await startSandbox({ handler: join(folder, "lambda.handler"), env, timeoutMs: 60_000 });
    const environment = await sandbox.environment();
    const reply = async (event: object) => (await environment.invoke<Reply>(event)).value;
    const restApi = { version: "1.0", path: "/ready", httpMethod: "GET", headers: {}, multiValueHeaders: {}, requestContext: {} };
    const balanced = { path: "/ready", httpMethod: "GET", body: "", isBase64Encoded: false, requestContext: { elb: {} } };
    const lattice = { version: "2.0", path: "/ready", method: "GET", headers: {}, requestContext: { serviceArn: "arn:aws:vpc-lattice" } };
    for (const event of [fromUrl("/ready"), restApi, { ...balanced, headers: {} }, lattice]) {
      expect(await reply(event)).toMatchObject({ statusCode: 200 });
    }
    const balancedMany = await reply({ ...balanced, multiValueHeaders: { accept: ["text/html", "application/json"] } });
    expect(balancedMany).toMatchObject({ statusCode: 200, multiValueHeaders: { "content-type": ["application/json"] } });
    const order = (body: string, isBase64Encoded: boolean) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${env.API_TOKEN}`, "idempotency-key": "of-bytes" };
      return reply({ ...fromUrl("/orders", "POST"), headers, body, isBase64Encoded });
    };
    const spelled = JSON.stringify({ lines: "ä" });
    const plain = await order(spelled, false);
    expect(plain?.statusCode).toBe(400);
    expect(await order(Buffer.from(spelled).toString("base64"), true)).toMatchObject({ statusCode: 400, body: plain?.body });
    expect(environment.deaths).toEqual([]);
  });

  test.each(["lambda", "lambda-stream"])("answers 503 in time where the database accepts and stays silent: %s", async (name) => {
    await using wire = await startWire(inject("postgres"));
    wire.hold();
    await using sandbox = await startSandbox({ handler: join(folder, `${name}.handler`), env: { DATABASE_URL: urlAt(wire) } });
    const environment = await sandbox.environment();
    const { value, stream, error } = await environment.invoke<Reply>(fromUrl("/products"), { deadlineMs: 1_500 });
    expect([error, value ?? stream?.prelude]).toMatchObject([undefined, { statusCode: 503 }]);
    expect(environment.deaths).toEqual([]);
  });
});

/** A request as a function URL hands it over. */
function fromUrl(path: string, method = "GET") {
  const requestContext = { domainName: "api.example.com", http: { method, path } };
  return { version: "2.0", rawPath: path, rawQueryString: "", headers: {}, requestContext, isBase64Encoded: false };
}
