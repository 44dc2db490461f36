import { afterEach, expect, test, vi } from "vitest";
import { createDatabase, type Database, sql } from "../../src/entry/node.ts";
import { sharedPool } from "../../src/entry/pool.ts";

afterEach(() => void vi.unstubAllEnvs());

const pooled = (ask: (pool: ReturnType<typeof sharedPool>) => Promise<unknown>) => () => ask(sharedPool());
const called = (ask: (db: Database) => Promise<unknown>) => () => ask(createDatabase());

// Next.js begins the calls of a page when it builds, and gives them up by a timer it has set before: a bare pg.Pool has not failed by then
test.each<[string, () => Promise<unknown>]>([
  ["sql", called((db) => db.sql`select 1`)],
  ["query", called((db) => db.query("select 1", [], { readOnly: true }))],
  ["batch", called((db) => db.batch([sql`select 1`]))],
  ["transaction", called((db) => db.transaction((tx) => tx.sql`select 1`))],
  ["session", called((db) => db.session((session) => session.sql`select 1`))],
  ["db.with", called((db) => db.with({ role: "reader" }).query("select 1"))],
  ["sharedPool().query", pooled((pool) => pool.query("select 1"))],
  ["sharedPool().connect", pooled((pool) => pool.connect())],
])("without DATABASE_URL %s fails, and no sooner than a server that is not there could", async (_, ask) => {
  vi.stubEnv("DATABASE_URL", "");
  vi.stubEnv("PGHOST", "");
  const order: string[] = [];
  const givenUp = new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push("given up");
      resolve();
    }, 0);
  });
  const failing = ask().catch((error) => order.push(error.code));
  await Promise.all([failing, givenUp]);
  expect(order).toEqual(["given up", "MISSING_SETTING"]);
});
