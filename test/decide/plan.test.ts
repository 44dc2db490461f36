import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { detectRuntime, runtimeNames, runtimes } from "../../src/decide/detect-runtime.ts";
import { type Available, makePlan, type Plan } from "../../src/decide/plan.ts";
import { budgets, overPool, poolDefaults } from "../../src/decide/pool-size.ts";
import { overHyperdrive, perRequest } from "../../src/decide/request-choices.ts";
import type { RuntimeName } from "../../src/decide/runtime.ts";
import { checkOptions, type DatabaseOptions, resolveSettings } from "../../src/decide/settings.ts";
import { detectTarget, type TargetName, targets } from "../../src/decide/target.ts";
import { overHttp } from "../../src/decide/transport-choice.ts";
import { ConfigError } from "../../src/errors/errors.ts";

const nodeEntry: Available = { choices: [overPool, overHttp], webSocket: true };
const edgeEntry: Available = { choices: [overHttp], webSocket: true };
const workerEntry: Available = { choices: [overHyperdrive, overHttp, perRequest], webSocket: true };
const poolEntry: Available = { choices: [overPool], webSocket: false };

interface Case {
  readonly runtime: RuntimeName;
  readonly target: TargetName;
  readonly available: Available;
  readonly options?: DatabaseOptions;
  readonly env?: Record<string, string>;
}

function planFor({ runtime, target, available, options = {}, env = {} }: Case): Plan {
  const settings = resolveSettings(
    checkOptions({ url: "postgres://u:cAnArY@db.example/d", runtime, target, ...options }, runtimeNames),
    {},
  );
  return makePlan({
    runtime: detectRuntime({ global: {}, env }, settings.runtime),
    target: detectTarget(settings.address, settings.target, settings.endpoint),
    settings,
    available,
  });
}

const endpoint = { endpoint: "https://sql.example" };
const row = (
  runtime: RuntimeName,
  target: TargetName,
  available: Available,
  expected: readonly [Plan["transport"], Plan["session"], max: number, idleTimeoutMs: number],
  options: DatabaseOptions = {},
) => ({ runtime, target, available, expected, options });

const rows = [
  row("edge-light", "neon", edgeEntry, ["http", "websocket", 0, 0]),
  row("edge-light", "planetscale", edgeEntry, ["http", "websocket", 0, 0]),
  row("edge-light", "postgres", edgeEntry, ["http", "websocket", 0, 0], endpoint),
  row("edge-light", "rds-proxy", edgeEntry, ["http", "websocket", 0, 0], endpoint),
  row("workerd", "hyperdrive", workerEntry, ["request", "request", 6, 0]),
  row("workerd", "hyperdrive", workerEntry, ["request", "request", 6, 0], endpoint),
  row("workerd", "neon", workerEntry, ["http", "websocket", 0, 0]),
  row("workerd", "neon", edgeEntry, ["http", "websocket", 0, 0]),
  row("workerd", "postgres", workerEntry, ["request", "request", 6, 0]),
  row("workerd", "postgres", edgeEntry, ["http", "websocket", 0, 0], endpoint),
  row("workerd", "neon", { ...nodeEntry }, ["http", "websocket", 0, 0]),
  row("lambda", "rds-proxy", nodeEntry, ["pool", "pool", 1, 0]),
  row("lambda", "postgres", nodeEntry, ["pool", "pool", 1, 0]),
  row("lambda", "neon", nodeEntry, ["pool", "pool", 1, 0]),
  row("netlify", "neon-pooler", nodeEntry, ["pool", "pool", 1, 0]),
  row("lambda-managed", "rds", nodeEntry, ["pool", "pool", 10, 30_000]),
  row("azure-functions", "postgres", nodeEntry, ["pool", "pool", 5, 30_000]),
  row("cloud-run", "postgres", nodeEntry, ["pool", "pool", 5, 0]),
  row("deno-deploy", "neon", nodeEntry, ["pool", "pool", 5, 30_000]),
  row("vercel", "neon", nodeEntry, ["pool", "pool", 5, 5_000]),
  row("vercel", "supavisor-transaction", nodeEntry, ["pool", "pool", 5, 5_000]),
  row("node", "postgres", nodeEntry, ["pool", "pool", 10, 30_000]),
  row("node", "postgres", nodeEntry, ["pool", "pool", 10, 30_000], endpoint),
  row("node", "pgbouncer", nodeEntry, ["pool", "pool", 10, 30_000]),
  row("node", "supavisor-session", nodeEntry, ["pool", "pool", 7, 30_000]),
  row("node", "neon", edgeEntry, ["http", "websocket", 0, 0]),
  row("node", "neon", { ...edgeEntry, webSocket: false }, ["http", "none", 0, 0]),
  row("bun", "postgres", nodeEntry, ["pool", "pool", 10, 30_000]),
  row("deno", "postgres", nodeEntry, ["pool", "pool", 10, 30_000]),
  row("node", "neon", nodeEntry, ["http", "websocket", 0, 0], { transport: "http" }),
  row("lambda", "postgres", nodeEntry, ["pool", "pool", 3, 700], { max: 3, idleTimeoutMs: 700 }),
];

describe("a plan", () => {
  test.each(rows)("is $expected for $target from $runtime with $available and $options", ({ expected, ...input }) => {
    const plan = planFor(input);
    expect([plan.transport, plan.session, plan.max, plan.idleTimeoutMs]).toEqual(expected);
    expect(plan).toMatchObject({ runtime: input.runtime, target: input.target, traits: runtimes[input.runtime] });
    expect(plan.endpoint === null).toBe(plan.transport !== "http");
    for (const [choice, reason] of Object.entries(plan.reasons)) {
      const chosen = plan[choice as keyof Plan];
      expect(reason.startsWith(`${chosen}: `), `${choice} gives a reason for what was chosen`).toBe(true);
      expect(reason).toMatch(/: \S+( \S+)+$/);
    }
  });

  test("exists on Node for every target, and for every runtime with sockets", () => {
    for (const target of Object.keys(targets) as TargetName[]) {
      const plan = planFor({ runtime: "node", target, available: nodeEntry });
      expect(plan.transport).toBe("pool");
      const budget = budgets[target];
      if (budget !== null) expect(plan.max).toBeLessThanOrEqual(budget / 2);
    }
    for (const runtime of Object.keys(poolDefaults) as RuntimeName[]) {
      expect(planFor({ runtime, target: "postgres", available: nodeEntry }).transport).toBe("pool");
    }
  });

  test("is frozen to the bottom, and shows no secret", () => {
    const plan = planFor({ runtime: "edge-light", target: "neon", available: edgeEntry });
    expect([plan, ...Object.values(plan)].every((value) => typeof value !== "object" || Object.isFrozen(value))).toBe(true);
    expect(inspect(plan, { depth: 9 }) + JSON.stringify(plan)).not.toContain("cAnArY");
  });

  test.each([
    ["4", 4],
    ["8", 8],
    ["100", 10],
  ])("sizes a pool of Lambda Managed Instances by the %s calls of a worker: %i", (calls, max) => {
    const env = { AWS_LAMBDA_MAX_CONCURRENCY: calls, AWS_LAMBDA_NODEJS_WORKER_COUNT: "1" };
    expect(planFor({ runtime: "lambda-managed", target: "postgres", available: nodeEntry, env }).max).toBe(max);
  });

  test("counts an endpoint as a pooler", () => {
    expect(planFor({ runtime: "edge-light", target: "neon", available: edgeEntry }).capabilities.pooled).toBe(true);
    expect(planFor({ runtime: "node", target: "neon", available: nodeEntry }).capabilities.pooled).toBe(false);
  });

  test("says who ends a statement that takes too long", () => {
    expect(planFor({ runtime: "node", target: "postgres", available: nodeEntry }).deadline).toBe("client");
    const both = planFor({ runtime: "node", target: "postgres", available: nodeEntry, options: { statementTimeoutMs: 5 } });
    expect(both.deadline).toBe("server-and-client");
    expect(both.reasons.deadline).toContain("the server keeps statementTimeoutMs");
    const pooler = planFor({ runtime: "node", target: "pgbouncer", available: nodeEntry, options: { statementTimeoutMs: 5 } });
    expect(pooler.deadline).toBe("client");
    expect(pooler.reasons.deadline).toContain("this side keeps statementTimeoutMs; what is given up is cancelled at the server");
    const http = planFor({ runtime: "edge-light", target: "neon", available: edgeEntry, options: { statementTimeoutMs: 5 } });
    expect(http.deadline).toBe("client");
    expect(http.reasons.deadline).toContain("the endpoint keeps statementTimeoutMs");
    const pooledHttp = planFor({ runtime: "edge-light", target: "neon-pooler", available: edgeEntry, options: { statementTimeoutMs: 5 } });
    expect(pooledHttp.reasons.deadline).toContain("nobody over HTTP keeps statementTimeoutMs");
    const proxy = planFor({ runtime: "node", target: "rds-proxy", available: nodeEntry });
    expect(proxy.reasons.deadline).not.toContain("statementTimeoutMs");
    const proxyOverHttp = planFor({ runtime: "edge-light", target: "rds-proxy", available: edgeEntry, options: endpoint });
    expect(proxyOverHttp.reasons.deadline).toBe("client: what is given up is cancelled at the server");
    expect(proxy.reasons.deadline).toContain("the role's statement_timeout");
  });

  test("says how long a call may take, and on Lambda less than a function that nobody configured", () => {
    const deadlineOf = (runtime: RuntimeName, options: DatabaseOptions = {}) => {
      const { deadlineMs, reasons } = planFor({ runtime, target: "postgres", available: nodeEntry, options });
      return [deadlineMs, reasons.deadlineMs];
    };
    expect(deadlineOf("node")).toEqual([30_000, "30000: enough for a database to wake up"]);
    for (const runtime of ["lambda", "lambda-managed"] as const) {
      expect(deadlineOf(runtime)).toEqual([2_500, expect.stringContaining("lambdaHandler knows the invocation's own time")]);
      expect(deadlineOf(runtime, { deadlineMs: 20_000 })).toEqual([20_000, "20000: the settings say so"]);
    }
    expect(deadlineOf("lambda", { deadlineMs: 0 })).toEqual([0, "0: the settings say so"]);
  });

  test("asks nothing of TLS over HTTP, where the platform verifies", () => {
    const options = { sslMode: "disable", channelBinding: "require" } as const;
    expect(planFor({ runtime: "edge-light", target: "neon", available: edgeEntry, options }).warnings).toEqual([]);
  });

  test("warns of a way that is not encrypted or not verified, the direct one too, and of a pool above the target's budget", () => {
    const options = { sslMode: "no-verify", max: 50 } as const;
    expect(planFor({ runtime: "node", target: "supavisor-session", available: nodeEntry, options }).warnings).toEqual([
      expect.stringContaining("not verified"),
      expect.stringContaining("above 15"),
    ]);
    const direct = { directUrl: "postgres://direct.example?sslmode=disable", max: 97 };
    expect(planFor({ runtime: "node", target: "postgres", available: nodeEntry, options: direct }).warnings).toEqual([
      expect.stringContaining("not encrypted"),
    ]);
  });

  test.each<[host: string, warns: boolean, options?: DatabaseOptions]>([
    ["localhost", false],
    ["LOCALHOST", false],
    ["127.0.0.1", false],
    ["::1", false],
    ["/tmp", false],
    ["db.localhost", true],
    ["a.b.LocalHost", true],
    ["abc.hyperdrive.local", true],
    ["ABC.Hyperdrive.Local", true],
    ["db.localhost", true, { sslMode: "disable" }],
    ["db.localhost", false, { sslMode: "require" }],
    ["abc.hyperdrive.local", false, { sslMode: "require" }],
  ])("outside of a worker to %s in plain text warns: %s", (host, warns, options = {}) => {
    const address = { host, user: "u", database: "d", url: undefined };
    for (const runtime of ["node", "lambda", "vercel", "bun"] as const) {
      const { warnings } = planFor({ runtime, target: "postgres", available: nodeEntry, options: { ...address, ...options } });
      expect(warnings).toEqual(warns ? [expect.stringMatching(/not encrypted.*sslmode=require/)] : []);
    }
  });

  test("warns of a direct address in plain text whose name is not this machine's own, and once where both are", () => {
    const both = { host: "db.localhost", user: "u", database: "d", url: undefined, directUrl: "postgres://x.localhost" };
    expect(planFor({ runtime: "node", target: "postgres", available: nodeEntry, options: both }).warnings).toHaveLength(1);
    const direct = { directUrl: "postgres://x.hyperdrive.local" };
    expect(planFor({ runtime: "node", target: "postgres", available: nodeEntry, options: direct }).warnings).toHaveLength(1);
  });

  test("inside a worker says nothing of Hyperdrive, which is there", () => {
    const options = { host: "abc.hyperdrive.local", user: "u", database: "d", url: undefined };
    expect(planFor({ runtime: "workerd", target: "hyperdrive", available: workerEntry, options }).warnings).toEqual([]);
  });
});

describe("a plan that cannot be", () => {
  const refusals: readonly (readonly [title: string, input: Case, setting: string, code: string, remedy: RegExp])[] = [
    [
      "no sockets, no HTTP",
      { runtime: "edge-light", target: "postgres", available: edgeEntry },
      "transport",
      "NO_TRANSPORT",
      /postgres: name what speaks SQL over HTTP in endpoint or WARMLINE_ENDPOINT\.$/,
    ],
    [
      "no TCP handed in",
      { runtime: "workerd", target: "postgres", available: edgeEntry },
      "transport",
      "NO_TRANSPORT",
      /warmline\/hyperdrive.*WARMLINE_ENDPOINT/,
    ],
    [
      "Hyperdrive without TCP",
      { runtime: "workerd", target: "hyperdrive", available: edgeEntry },
      "transport",
      "NO_TRANSPORT",
      /warmline\/hyperdrive/,
    ],
    [
      "WarmPool in a worker",
      { runtime: "workerd", target: "postgres", available: poolEntry },
      "transport",
      "NO_TRANSPORT",
      /warmline\/hyperdrive.*WARMLINE_ENDPOINT/,
    ],
    [
      "http on WarmPool",
      { runtime: "node", target: "neon", available: poolEntry, options: { transport: "http" } },
      "transport",
      "NO_TRANSPORT",
      /: leave transport out\.$/,
    ],
    [
      "a pool in a worker",
      { runtime: "workerd", target: "neon", available: nodeEntry, options: { transport: "pool" } },
      "transport",
      "NO_TRANSPORT",
      /leave transport out/,
    ],
    [
      "http to plain Postgres",
      { runtime: "node", target: "postgres", available: nodeEntry, options: { transport: "http" } },
      "transport",
      "NO_TRANSPORT",
      /WARMLINE_ENDPOINT/,
    ],
    [
      "request on edge-light",
      { runtime: "edge-light", target: "neon", available: workerEntry, options: { transport: "request" } },
      "transport",
      "NO_TRANSPORT",
      /leave transport out/,
    ],
    [
      "a transport this entry lacks",
      { runtime: "node", target: "postgres", available: nodeEntry, options: { transport: "request" } },
      "transport",
      "NO_TRANSPORT",
      /warmline\/hyperdrive/,
    ],
    [
      "min above the planned max",
      { runtime: "lambda", target: "postgres", available: nodeEntry, options: { min: 2 } },
      "min",
      "INVALID_SETTING",
      /lower min or set max/,
    ],
    [
      "TLS settings that contradict each other",
      { runtime: "node", target: "postgres", available: nodeEntry, options: { sslMode: "disable", sslNegotiation: "direct" } },
      "sslNegotiation",
      "INVALID_SETTING",
      /leave one out/,
    ],
    [
      "startup options through RDS Proxy",
      { runtime: "lambda", target: "rds-proxy", available: nodeEntry, options: { startupOptions: "-c cAnArY=1" } },
      "startupOptions",
      "INVALID_SETTING",
      /ALTER ROLE/,
    ],
  ];

  test.each(refusals)("is refused with the way out: %s", (_, input, setting, code, remedy) => {
    let refusal: unknown;
    try {
      planFor(input);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(refusal).toMatchObject({ setting, code, message: expect.stringMatching(remedy) });
    expect(inspect(refusal)).not.toMatch(/cAnArY|9173/);
  });
});
