import { readFile } from "node:fs/promises";
import pg from "pg";
import { inject } from "vitest";
import { createDatabase, type Database } from "warmline";
import { type AppOptions, createApp, type Fault } from "../../functions/app.ts";
import { modulesOnDemand } from "../../functions/modules-on-demand.ts";

/** The demo's tables in a database of their own, and what a test asks of it. */
export interface DemoDatabase {
  readonly url: string;
  readonly db: Database;
  /** Runs a statement beside the application, over a connection that is not warmline's. */
  ask(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Makes the database, runs infra/schema.sql on it, and opens it. */
export async function createDemoDatabase(): Promise<DemoDatabase> {
  const name = `demo_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = await connect(inject("postgres").url);
  await admin.query(`create database ${name}`);
  await admin.end();

  const url = new URL(inject("postgres").url);
  url.pathname = `/${name}`;
  const db = createDatabase(url.href);
  await db.script(await readFile(new URL("../../infra/schema.sql", import.meta.url), "utf8"));
  const beside = await connect(url.href);
  return {
    url: url.href,
    db,
    ask: async (text, values = []) => (await beside.query(text, [...values])).rows,
    stop: async () => {
      await db.close();
      await beside.end();
    },
  };
}

/** A connection of the driver itself. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** The application as a caller sees it, and the faults it reported. */
export interface TestApp {
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** `POST /orders`. */
  order(key: string | undefined, body: unknown, headers?: Record<string, string>): Promise<Response>;
  request(path: string, init: RequestInit): Promise<Response>;
  readonly faults: readonly Fault[];
}

/** The application over `db`, open as on a developer's machine unless the options say otherwise. */
export function createTestApp(db: Database, options: Partial<AppOptions> = {}): TestApp {
  const faults: Fault[] = [];
  const app = createApp({ db, platform: "node", modules: modulesOnDemand, onFault: (fault) => faults.push(fault), ...options });
  const request = async (path: string, init: RequestInit = {}) => app.request(path, init);
  return {
    faults,
    request,
    get: (path, headers = {}) => request(path, { headers }),
    order: (key, body, headers = {}) =>
      request("/orders", {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(key === undefined ? {} : { "Idempotency-Key": key }), ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
}

/** One line of an order, as the body of `POST /orders`. */
export function orderOf(productId: number, quantity = 1) {
  return { lines: [{ productId, quantity }] };
}
