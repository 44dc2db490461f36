import { deepEqual } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createDatabase } from "warmline";
import { startEndpoint } from "warmline/endpoint";
import { startSandbox } from "../../test/lambda/sandbox.ts";
import type { PostgresServer } from "../../test/support/postgres/server.ts";
import { type InstalledExample, installExample } from "./installed-example.ts";
import type { Line } from "./judge.ts";
import { openWorker, type WorkerParts } from "./worker.ts";

/** Folders of `examples`. */
export const examples = ["drizzle", "kysely", "prisma"] as const;

/** Sends an app a request. */
type Ask = (method: "GET" | "POST", path: string, body?: unknown) => Promise<Answer>;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Where an app finds its database. */
interface Addresses {
  readonly url: string;
  readonly endpoint: string;
}

/** A deployment of an example: the script that builds it, what its database is reached over, and how it is served. */
interface Deployment {
  readonly name: string;
  readonly script: string;
  readonly transport: string;
  readonly serve: (folder: string, addresses: Addresses) => Promise<{ readonly ask: Ask; readonly stop: () => Promise<void> }>;
}

const deployments: readonly Deployment[] = [
  {
    name: "workerd, http",
    script: "build:http",
    transport: "http",
    serve: (folder, { url, endpoint }) =>
      serveWorker(join(folder, "dist/http/worker-http.js"), { bindings: { DATABASE_URL: url, WARMLINE_ENDPOINT: endpoint } }),
  },
  {
    name: "workerd, Hyperdrive",
    script: "build:hyperdrive",
    transport: "request",
    serve: (folder, { url }) =>
      serveWorker(join(folder, "dist/hyperdrive/worker-hyperdrive.js"), { hyperdrives: { HYPERDRIVE: url }, flags: ["nodejs_compat"] }),
  },
  {
    name: "Lambda",
    script: "build:lambda",
    transport: "pool",
    serve: (folder, { url }) => serveLambda(join(folder, "dist/lambda/index.handler"), url),
  },
];

/** What an app's author has before any deployment: the code it generates, and types that fit those of the package. */
const preparations = ["generate", "typecheck"];

/** Installs an example from the tarball, builds it by its own scripts, and asks every deployment the same. Never rejects. */
export async function runExample(
  name: string,
  server: PostgresServer,
  tools: string,
  report: (line: Line) => void,
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const attempt = async (way: string, work: () => Promise<void>): Promise<boolean> => {
    const begun = Date.now();
    const problems = await work().then(
      () => [],
      (error: Error) => [error.message],
    );
    const line = { orm: `example, ${name}`, way, checks: [], problems, ms: Date.now() - begun };
    lines.push(line);
    report(line);
    return problems.length === 0;
  };
  await using stack = new AsyncDisposableStack();
  let app: InstalledExample | undefined;
  const isReady = await attempt("installed, types", async () => {
    app = stack.use(await installExample(name, tools));
    for (const script of preparations) if (app.scripts.includes(script)) await app.run(script);
  });
  if (app === undefined || !isReady) return lines;
  const { folder, scripts, run } = app;
  for (const { name: way, script, transport, serve } of deployments.filter((deployment) => scripts.includes(deployment.script))) {
    await attempt(way, async () => {
      await run(script);
      await using addresses = await openLibrary(folder, server);
      const { ask, stop } = await serve(folder, addresses);
      try {
        await tour(ask, transport);
      } finally {
        await stop();
      }
    });
  }
  return lines;
}

/** A database with the example's tables, and an endpoint in front of it. */
async function openLibrary(folder: string, server: PostgresServer): Promise<Addresses & AsyncDisposable> {
  const name = `example_${randomUUID().replaceAll("-", "")}`;
  await using admin = createDatabase(server.url());
  await admin.query(`create database ${name}`);
  const url = server.url(name);
  await using database = createDatabase(url);
  await database.script(await readFile(join(folder, "schema.sql"), "utf8"));
  const endpoint = await startEndpoint({ databaseUrl: url, port: 0 });
  return { url, endpoint: endpoint.url, [Symbol.asyncDispose]: () => endpoint.stop() };
}

async function tour(ask: Ask, transport: string): Promise<void> {
  deepEqual(await ask("GET", "/authors"), { status: 200, body: [] });
  deepEqual(await ask("GET", "/"), { status: 200, body: { transport } });
  const ada = { name: "Ada", titles: ["Notes", "Letters"] };
  deepEqual(await ask("POST", "/authors", ada), { status: 201, body: { id: 1 } });
  deepEqual((await ask("POST", "/authors", { ...ada, titles: ["Again"] })).status, 409);
  deepEqual((await ask("POST", "/authors", { name: "Grace" })).status, 400);
  const all = [{ id: 1, name: "Ada", books: [{ title: "Notes" }, { title: "Letters" }] }];
  deepEqual(await ask("GET", "/authors"), { status: 200, body: all });
}

async function serveWorker(bundle: string, parts: WorkerParts): ReturnType<Deployment["serve"]> {
  const { url, stop } = await openWorker(bundle, parts);
  const ask: Ask = async (method, path, body) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(new URL(path, url), { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    return answerOf(response.status, await response.text());
  };
  return { ask, stop };
}

/** By AWS's own runtime client, behind what a function URL makes of a request. */
async function serveLambda(handler: string, url: string): ReturnType<Deployment["serve"]> {
  const sandbox = await startSandbox({ handler, env: { DATABASE_URL: url }, timeoutMs: 30_000 });
  const environment = await sandbox.environment();
  const ask: Ask = async (method, path, body) => {
    const event = {
      version: "2.0",
      rawPath: path,
      rawQueryString: "",
      headers: { host: "library.lambda-url.eu-central-1.on.aws", "content-type": "application/json" },
      requestContext: { domainName: "library.lambda-url.eu-central-1.on.aws", http: { method, path } },
      isBase64Encoded: false,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const { value, error } = await environment.invoke<{ readonly statusCode: number; readonly body: string }>(event);
    if (value === undefined) throw new Error(error?.errorMessage);
    return answerOf(value.statusCode, value.body);
  };
  return { ask, stop: sandbox.stop };
}

function answerOf(status: number, text: string): Answer {
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    return { status, body: text };
  }
}
