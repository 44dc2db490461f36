import { describe, expect, test } from "vitest";
import { detectRuntime, runtimeNames, runtimes, type Surroundings } from "../../src/decide/detect-runtime.ts";
import { edgeLight, type RuntimeName, workerd } from "../../src/decide/runtime.ts";

const process = { versions: { node: "24.0.0" } };
const lambda = { AWS_LAMBDA_FUNCTION_NAME: "orders", AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand" };

const cloudRun = { K_SERVICE: "orders", K_REVISION: "orders.1" };

interface Row {
  readonly name: RuntimeName;
  readonly when: string;
  readonly global: object;
  readonly env?: Surroundings["env"];
  readonly reason: string;
}

const rows: readonly Row[] = [
  { name: "node", when: "only process is there", global: { process }, reason: "process.versions.node is set" },
  {
    name: "node",
    when: "navigator is Node's own",
    global: { process, navigator: { userAgent: "Node.js/24" } },
    reason: "process.versions.node is set",
  },
  {
    name: "workerd",
    when: "process is there too, and OpenNext says nodejs",
    global: { process, navigator: { userAgent: "Cloudflare-Workers" } },
    env: { NEXT_RUNTIME: "nodejs", VERCEL: "1" },
    reason: "navigator.userAgent is Cloudflare-Workers",
  },
  {
    name: "edge-light",
    when: "EdgeRuntime is there on Vercel",
    global: { EdgeRuntime: "vercel" },
    env: { VERCEL: "1" },
    reason: "EdgeRuntime is set",
  },
  { name: "deno", when: "process is there too", global: { process, Deno: {} }, reason: "Deno is set" },
  { name: "bun", when: "process is there too", global: { process, Bun: {} }, reason: "Bun is set" },
  { name: "vercel", when: "it runs on Lambda", global: { process }, env: { ...lambda, VERCEL: "1" }, reason: "VERCEL is set" },
  { name: "netlify", when: "it runs on Lambda", global: { process }, env: { ...lambda, NETLIFY: "true" }, reason: "NETLIFY is set" },
  { name: "lambda", when: "the function has a name", global: { process }, env: lambda, reason: "AWS_LAMBDA_FUNCTION_NAME is set" },
  {
    name: "lambda-managed",
    when: "the initialization type says so",
    global: { process },
    env: { ...lambda, AWS_LAMBDA_INITIALIZATION_TYPE: "lambda-managed-instances" },
    reason: "AWS_LAMBDA_INITIALIZATION_TYPE is lambda-managed-instances",
  },
  {
    name: "azure-functions",
    when: "the worker's language is named",
    global: { process },
    env: { FUNCTIONS_WORKER_RUNTIME: "node" },
    reason: "FUNCTIONS_WORKER_RUNTIME is set",
  },
  { name: "cloud-run", when: "the service has a name", global: { process }, env: cloudRun, reason: "K_SERVICE is set" },
  {
    name: "cloud-run",
    when: "it is a function of Google Cloud",
    global: { process },
    env: { ...cloudRun, FUNCTION_TARGET: "orders" },
    reason: "K_SERVICE is set",
  },
  {
    name: "deno-deploy",
    when: "the deployment has an id",
    global: { process, Deno: {} },
    env: { DENO_DEPLOYMENT_ID: "1" },
    reason: "DENO_DEPLOYMENT_ID is set",
  },
  {
    name: "edge-light",
    when: "nothing is known, as in a browser",
    global: { navigator: { userAgent: "Mozilla/5.0" } },
    reason: "nothing here is known to open sockets",
  },
  {
    name: "node",
    when: "the variables of platforms are empty",
    global: { process },
    env: { VERCEL: "", AWS_LAMBDA_FUNCTION_NAME: "" },
    reason: "process.versions.node is set",
  },
];

/** One sign of each platform, in the order they are documented in. */
const platforms: readonly (readonly [RuntimeName, Surroundings["env"]])[] = [
  ["vercel", { VERCEL: "1" }],
  ["netlify", { NETLIFY: "true" }],
  ["lambda-managed", { AWS_LAMBDA_INITIALIZATION_TYPE: "lambda-managed-instances" }],
  ["lambda", { AWS_LAMBDA_FUNCTION_NAME: "orders" }],
  ["azure-functions", { FUNCTIONS_WORKER_RUNTIME: "node" }],
  ["cloud-run", cloudRun],
  ["deno-deploy", { DENO_DEPLOYMENT_ID: "1" }],
];
const engines: Readonly<Record<string, object>> = { Node: { process }, Bun: { process, Bun: {} }, Deno: { process, Deno: {} } };

describe("detectRuntime", () => {
  test.each(Object.entries(engines))(
    "on %s, finds the platform before the engine; of two, the one that is documented first",
    (_, global) => {
      for (const [at, [name, env]] of platforms.entries()) {
        expect(detectRuntime({ global, env })).toMatchObject({ name, traits: runtimes[name] });
        for (const [, other] of platforms.slice(at)) expect(detectRuntime({ global, env: { ...other, ...env } }).name).toBe(name);
      }
    },
  );

  test("finds an engine without sockets of its own before any platform", () => {
    const env = Object.assign({}, ...platforms.map(([, one]) => one));
    expect(detectRuntime({ global: { process, navigator: { userAgent: "Cloudflare-Workers" } }, env }).name).toBe("workerd");
    expect(detectRuntime({ global: { EdgeRuntime: "edge-runtime" }, env }).name).toBe("edge-light");
  });

  test.each(rows)("finds $name when $when", ({ name, global, env = {}, reason }) => {
    expect(detectRuntime({ global, env })).toMatchObject({ name, traits: runtimes[name], reason });
  });

  test("has a row of the table for every runtime", () => {
    expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(runtimeNames));
  });

  test("agrees with the builds that know their runtime", () => {
    expect(runtimes).toMatchObject({ [workerd.name]: workerd.traits, [edgeLight.name]: edgeLight.traits });
    expect([workerd.name, edgeLight.name]).toEqual(["workerd", "edge-light"]);
  });

  test("lets the setting decide", () => {
    const found = detectRuntime({ global: { process }, env: {} }, "lambda");
    expect(found).toMatchObject({ name: "lambda", traits: { freezes: true, concurrency: "one" }, reason: "the settings say so" });
  });

  test.each([
    ["16", "4", 4],
    ["10", "4", 3],
    ["64", undefined, 8],
    ["1", "8", 1],
    [undefined, "8", null],
    ["many", "8", null],
  ])("shares %s calls among %s workers of Lambda Managed Instances: %s each", (calls, workers, each) => {
    const env = {
      AWS_LAMBDA_INITIALIZATION_TYPE: "lambda-managed-instances",
      AWS_LAMBDA_MAX_CONCURRENCY: calls,
      AWS_LAMBDA_NODEJS_WORKER_COUNT: workers,
    };
    expect(detectRuntime({ global: { process }, env }).concurrentCalls).toBe(each);
  });

  test("counts no calls elsewhere", () => {
    expect(detectRuntime({ global: { process }, env: { ...lambda, AWS_LAMBDA_MAX_CONCURRENCY: "9" } }).concurrentCalls).toBeNull();
  });
});
