import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startDemoProcess } from "../functions/demo-process.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import type { Random } from "../support/random.ts";
import { demoCase } from "./demo-cases.ts";
import { endpointCase } from "./endpoint-cases.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { webSocketCase } from "./websocket-cases.ts";

/** What is fuzzed: a process of its own, so that its death is seen and survived. */
export interface FuzzTarget extends AsyncDisposable {
  readonly port: number;
  /** Texts that must be in no answer and in nothing it writes. */
  readonly secrets: readonly string[];
  readonly child: ChildProcess;
  /** All it has written. */
  written(): string;
  makeCase(random: Random): FuzzCase;
  /** Whether it answers a good request as it should. */
  answersWell(): Promise<boolean>;
}

/** The names of the targets. */
export const targetNames = ["endpoint", "tunnel", "demo"] as const;

/** One of {@link targetNames}: `POST /sql` of the local endpoint, its `/v2`, and the demo API. */
export type TargetName = (typeof targetNames)[number];

/** Starts a target in front of a database of its own, whose role may use that and nothing else. */
export async function startTarget(name: TargetName, server: PostgresServer): Promise<FuzzTarget> {
  const canary = `canary${randomUUID().replaceAll("-", "")}`;
  const login = { user: `fuzz_${name}`, password: canary, database: `fuzz_${name}` };
  const url = await makeDatabase(
    server,
    login,
    name === "demo" ? await readFile(new URL("../../infra/schema.sql", import.meta.url), "utf8") : "",
  );
  return name === "demo" ? startDemo(url, canary) : startEndpointProcess(name, server, { login, url });
}

async function startDemo(url: string, canary: string): Promise<FuzzTarget> {
  const token = `token${randomUUID().replaceAll("-", "")}`;
  const demo = startDemoProcess({ DATABASE_URL: url, API_TOKEN: token });
  const written = collect(demo.child);
  const base = await demo.url;
  return {
    port: Number(new URL(base).port),
    secrets: [canary, token],
    child: demo.child,
    written,
    makeCase: (random) => demoCase(random, token),
    async answersWell() {
      const { status } = await fetch(`${base}/products/1`);
      const order = await fetch(`${base}/orders`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", "Idempotency-Key": randomUUID() },
        body: JSON.stringify({ lines: [{ productId: 1, quantity: 1 }] }),
      });
      await order.text();
      // an order is refused when the fuzz has bought all there was
      return status === 200 && (order.status === 201 || order.status === 409);
    },
    [Symbol.asyncDispose]: () => end(demo.child),
  };
}

async function startEndpointProcess(
  name: "endpoint" | "tunnel",
  server: PostgresServer,
  { login, url }: { readonly login: Login; readonly url: string },
): Promise<FuzzTarget> {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "endpoint", "--port", "0"], {
    env: { PATH: process.env.PATH, DATABASE_URL: server.url() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = collect(child);
  while (!/:\d+\n/.test(written())) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The endpoint did not start: ${written()}`);
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  }
  const port = Number(/:(\d+)\n/.exec(written())?.[1]);
  return {
    port,
    secrets: [login.password, server.password],
    child,
    written,
    makeCase: (random) => (name === "tunnel" ? webSocketCase(random, login) : endpointCase(random, url)),
    async answersWell() {
      const response = await fetch(`http://127.0.0.1:${port}/sql`, {
        method: "POST",
        headers: { "Neon-Connection-String": url },
        body: '{"query":"select 1 as n"}',
      });
      const body = (await response.json()) as { readonly rows?: readonly unknown[] };
      return response.status === 200 && JSON.stringify(body.rows) === '[{"n":1}]';
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

async function makeDatabase(server: PostgresServer, { user, password, database }: Login, schema: string): Promise<string> {
  const admin = new pg.Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`create role ${user} login password '${password}'; alter role ${user} set statement_timeout = '2s'`);
  await admin.query(`create database ${database} owner ${user}`);
  await admin.end();
  const url = new URL(server.url(database));
  url.username = user;
  url.password = password;
  const owner = new pg.Client({ connectionString: url.href });
  await owner.connect();
  await owner.query(schema);
  await owner.end();
  return url.href;
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return () => text;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await ended;
  clearTimeout(patience);
}
