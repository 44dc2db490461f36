import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono/tiny";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createDatabase, type Database, sql } from "warmline";
import { leaveEarly, readSlowly } from "../support/slow-reader.ts";
import { startWire, type Wire } from "../support/wire.ts";

/** 50 MB: more than what lies between two processes on one machine can hold. */
const ROWS = 50_000;
const wide = sql`select n, repeat('x', 1000) as word from generate_series(1, ${ROWS}::int) n`;

let wire: Wire;
let db: Database;
let server: ReturnType<typeof serve>;
let url: URL;

beforeAll(async () => {
  wire = await startWire(inject("postgres"));
  const through = new URL(inject("postgres").url);
  through.port = String(wire.port);
  db = createDatabase({ url: through.href, transport: "pool", max: 1, name: "hono streams" });
  const app = new Hono().get("/rows", (c) =>
    c.body(db.stream(wide, { deadlineMs: 120_000 }).toReadable(), 200, { "Content-Type": "application/x-ndjson" }),
  );
  server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await new Promise<void>((resolve) => server.once("listening", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/rows`);
});
afterAll(async () => {
  server.close();
  await db.close();
  await wire.close();
});

test("a route of Hono's on Node fetches no more rows than its reader takes", async () => {
  const { batchesWhileStopped, ...seen } = await readSlowly(url, wire);
  console.info(`Hono: ${batchesWhileStopped} of 100 batches while its reader stood still`);
  expect(seen).toEqual({ status: 200, contentType: "application/x-ndjson", lines: ROWS });
  expect(batchesWhileStopped).toBeLessThan(50);
});

test("and ends the statement when its reader goes away", async () => {
  await leaveEarly(url);
  // there is one connection: it has to come back
  expect(await db.sql`select count(*)::int as open from pg_cursors where name <> ''`).toEqual([{ open: 0 }]);
  expect(db.stats().running).toBe(0);
});
