import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { type Supavisor, startSupavisor } from "../../support/supavisor.ts";
import { openPaused } from "./paused.ts";

let supavisor: Supavisor;
beforeAll(async () => {
  supavisor = await startSupavisor(inject("postgres"));
});
afterAll(() => supavisor[Symbol.asyncDispose]());

const look = sql<{ n: number }>`select 1 as n`;

async function readAll<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const row of rows) read.push(row);
  return read;
}

/** What asks the connection in its own write where that is understood. */
const calls: readonly (readonly [string, (db: Database) => Promise<unknown>])[] = [
  ["a read", async (db) => (await db.query(look, { readOnly: true })).rows],
  ["what is idempotent", async (db) => (await db.query(look, { idempotent: true })).rows],
  ["a batch that only reads", async (db) => (await db.batch([look], { readOnly: true }))[0].rows],
  ["a transaction", (db) => db.transaction((tx) => tx.sql`select 1 as n`)],
  ["a stream", (db) => readAll(db.stream(look))],
];

describe.each<[string, DatabaseOptions]>([
  ["told by its target", { target: "supavisor-transaction" }],
  ["told as any pooler is", { target: "pgbouncer" }],
  ["that nobody told of", {}],
])("behind a pooler that drops what stands behind a Sync, %s", (_, options) => {
  test.each(calls)("%s is answered after a pause", async (_name, send) => {
    const { db, connectionId } = await openPaused(supavisor, { deadlineMs: 20_000, ...options });
    await using _db = db;
    expect(await send(db)).toEqual([{ n: 1 }]);
    expect((await db.query(look)).via.connectionId).toBe(connectionId);
    expect(db.stats()).toMatchObject({ connects: 1, probes: 1, discarded: 0 });
  });
});
