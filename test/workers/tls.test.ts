import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { backendsLeft, type RunningWorker, startWorker } from "./harness.ts";

// what local workerd trusts beside its own store: read when its tools are loaded, so set before they are
vi.hoisted(() => {
  process.env.NODE_EXTRA_CA_CERTS = `${import.meta.dirname}/../support/tls/ca.pem`;
});

let postgres: PostgresServer;
let worker: RunningWorker;

beforeAll(async () => {
  postgres = await startPostgres({ tls: true });
  worker = await startWorker("requests.ts", { vars: { DATABASE_URL: `${postgres.url()}?sslmode=require` } });
});
afterAll(async () => {
  await worker?.stop();
  await postgres?.stop();
});

test("a request reaches Postgres over verified TLS", async () => {
  const response = await fetch(new URL("/one", worker.url));
  expect(await response.json()).toEqual({ transport: "request", same: true, reused: true });
});

test("a statement is cancelled at the server over TLS too", async () => {
  const response = await fetch(new URL("/timeout", worker.url));
  expect(await response.json()).toEqual({ code: "DEADLINE_EXCEEDED" });
  expect(await backendsLeft(postgres.url())).toBe(0);
});
