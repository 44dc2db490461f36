import { BY_SETTING, type DetectedRuntime, edgeLight, type RuntimeName, type RuntimeTraits, workerd } from "./runtime.ts";

/** What detection looks at. Passed in, so that nothing here reads a global. */
export interface Surroundings {
  /** `globalThis`. */
  readonly global: object;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The traits of every runtime: a platform where it changes what is planned, and else the engine. Fly, Railway, Render, ECS and Fargate run
 * processes that live long, as their engines are planned for.
 * Sources: workerd refuses a socket in another request than its own; Lambda, Vercel and Netlify suspend an instance that serves nothing;
 * Lambda Managed Instances interleave calls and freeze nothing; Azure Functions' documentation, "Concurrency": an instance serves several calls
 * at once, and lives on between them; Cloud Run's documentation, "General development tips": behind a request CPU is "disabled or severely
 * limited", and "Maximum concurrent requests": 80 by default, functions likewise; Deno Deploy's documentation, "Runtime": an instance is
 * stopped when nothing comes, and never suspended.
 */
export const runtimes: Readonly<Record<RuntimeName, RuntimeTraits>> = {
  workerd: workerd.traits,
  "edge-light": edgeLight.traits,
  vercel: { tcp: true, ioScope: "process", freezes: true, concurrency: "many" },
  netlify: { tcp: true, ioScope: "process", freezes: true, concurrency: "one" },
  lambda: { tcp: true, ioScope: "process", freezes: true, concurrency: "one" },
  "lambda-managed": { tcp: true, ioScope: "process", freezes: false, concurrency: "many" },
  "azure-functions": { tcp: true, ioScope: "process", freezes: false, concurrency: "many" },
  "cloud-run": { tcp: true, ioScope: "process", freezes: true, concurrency: "many" },
  "deno-deploy": { tcp: true, ioScope: "process", freezes: false, concurrency: "many" },
  deno: { tcp: true, ioScope: "process", freezes: false, concurrency: "many" },
  bun: { tcp: true, ioScope: "process", freezes: false, concurrency: "many" },
  node: { tcp: true, ioScope: "process", freezes: false, concurrency: "many" },
};

/** Their names: what the setting `runtime` takes on a build that detects. */
export const runtimeNames = Object.keys(runtimes) as readonly RuntimeName[];

/**
 * Below a Lambda function's time-out where nobody sets one, 3 s, and with room to cancel the statement and to answer. No variable tells the
 * time-out; `warmline/lambda` does.
 * Source: AWS Lambda's documentation, "Configure Lambda function timeout" and "Defined runtime environment variables".
 */
const onLambda = { ms: 2_500, reason: "below the 3 s of a function nobody configured; lambdaHandler knows the invocation's own time" };

const deadlines: Partial<Record<RuntimeName, DetectedRuntime["deadline"]>> = { lambda: onLambda, "lambda-managed": onLambda };

interface Sign {
  readonly name: RuntimeName;
  /** What has to be there: a path from the global object, or an environment variable. */
  readonly global?: string;
  readonly env?: string;
  /** The value it has to have; without it, any that is not empty. */
  readonly is?: string;
}

/**
 * Signs in the order they are looked for; the first decides where there are several. Engines without sockets of their own come first, whatever
 * variables are there. Then platforms, whatever engine they run: Vercel and Netlify run on Lambda, so they come before it. An engine decides
 * where no platform does; `process.versions.node` is set in all of them, so Node comes last.
 * Sources: AWS Lambda, "Defined runtime environment variables"; Vercel, "System environment variables"; Azure Functions, "App settings
 * reference"; Cloud Run, "Container runtime contract", which holds for functions of Google Cloud too; Deno Deploy, "Predefined environment
 * variables".
 */
const signs: readonly Sign[] = [
  { name: "workerd", global: "navigator.userAgent", is: "Cloudflare-Workers" },
  { name: "edge-light", global: "EdgeRuntime" },
  { name: "vercel", env: "VERCEL" },
  { name: "netlify", env: "NETLIFY" },
  { name: "lambda-managed", env: "AWS_LAMBDA_INITIALIZATION_TYPE", is: "lambda-managed-instances" },
  { name: "lambda", env: "AWS_LAMBDA_FUNCTION_NAME" },
  { name: "azure-functions", env: "FUNCTIONS_WORKER_RUNTIME" },
  { name: "cloud-run", env: "K_SERVICE" },
  { name: "deno-deploy", env: "DENO_DEPLOYMENT_ID" },
  { name: "deno", global: "Deno" },
  { name: "bun", global: "Bun" },
  { name: "node", global: "process.versions.node" },
];

/** The variables that tell the runtime, and how many calls interleave in it. */
export const runtimeVariables: readonly string[] = [
  ...signs.flatMap(({ env }) => env ?? []),
  "AWS_LAMBDA_MAX_CONCURRENCY",
  "AWS_LAMBDA_NODEJS_WORKER_COUNT",
];

function isThere({ global, env, is }: Sign, surroundings: Surroundings): boolean {
  const value = env === undefined ? lookUp(surroundings.global, global ?? "") : surroundings.env[env];
  return is === undefined ? Boolean(value) : value === is;
}

function lookUp(root: unknown, path: string): unknown {
  return path.split(".").reduce((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], root);
}

/** Tells the runtime from its surroundings; `explicit`, the `runtime` setting, decides where it is given. */
export function detectRuntime(surroundings: Surroundings, explicit: RuntimeName | null = null): DetectedRuntime {
  const found = explicit === null ? signs.find((sign) => isThere(sign, surroundings)) : undefined;
  const name = explicit ?? found?.name ?? "edge-light";
  const seen = found ? `${found.global ?? found.env} is ${found.is ?? "set"}` : "nothing here is known to open sockets";
  return {
    name,
    traits: runtimes[name],
    concurrentCalls: name === "lambda-managed" ? callsPerWorker(surroundings.env) : null,
    reason: explicit === null ? seen : BY_SETTING,
    deadline: deadlines[name],
  };
}

/** 8 workers for each vCPU is AWS's default, and one vCPU the least there is. */
const DEFAULT_WORKERS = 8;

function callsPerWorker(env: Surroundings["env"]): number | null {
  const calls = Number(env.AWS_LAMBDA_MAX_CONCURRENCY);
  const workers = Number(env.AWS_LAMBDA_NODEJS_WORKER_COUNT) || DEFAULT_WORKERS;
  return calls > 0 && workers > 0 ? Math.ceil(calls / workers) : null;
}
