import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { type Database, sql } from "../../src/entry/node.ts";
import { WarmPool } from "../../src/entry/pool.ts";
import { openPool, urlAt } from "../core/databases.ts";
import { stopWallClock } from "../core/pool/passing-time.ts";
import { openRequest } from "../core/request/open-request.ts";
import { runRequest } from "../faults/subjects/request-database.ts";
import { startWire, type Wire } from "../support/wire.ts";
import { leastCost } from "./cost.ts";

const text = "select $1::int as n, $2::text as t";
const values = [7, "text"];
/** One that never came before, of always the same length. */
const newText = () => `select ${Math.random().toFixed(12)} as n`;
const twenty = Array.from({ length: 20 }, (_, n) => n);

const calls = {
  "a query by its name": (db: Database) => db.query(text, values),
  "a query without a name": (db: Database) => db.query(newText()),
  "a readOnly query": (db: Database) => db.query(text, values, { readOnly: true }),
  "a query under settings": (db: Database) => db.with({ settings: { "app.tenant": "a" }, role: "pg_monitor" }).query(text, values),
  "a batch of three": (db: Database) => db.batch([1, 2, 3].map((n) => sql`select ${n}::int as n`)),
  "a transaction of two": (db: Database) =>
    db.transaction(async (tx) => {
      await tx.query(text, values);
      await tx.query(text, values);
    }),
  "a stream of three rows in two batches": async (db: Database) => {
    for await (const _ of db.stream("select n from generate_series(1, $1::int) n", [3], { batchSize: 2 }));
  },
  "twenty queries at once on one connection": (db: Database) => Promise.all(twenty.map((n) => db.query(text, [n, "text"]))),
};
type Call = keyof typeof calls;

/**
 * What a call may cost on a warm connection. Messages are the letters of Postgres' protocol, bytes all of theirs, timers those that are set,
 * promises all that are made until the call has ended, of whoever awaits it too. A number that falls is written down here; one that rises says in
 * its commit what is bought with it.
 */
type Budget = readonly [roundTrips: number, writes: number, messages: string, bytes: number, timers: number, promises: number];

const overPool: Readonly<Record<Call, Budget>> = {
  "a query by its name": [1, 1, "BES", 80, 1, 4],
  "a query without a name": [1, 1, "PBDES", 70, 1, 4],
  "a readOnly query": [1, 1, "PBDEPBDEPBDES", 190, 1, 10],
  "a query under settings": [1, 1, "PBDEPBDEPBDEPBDES", 309, 1, 10],
  "a batch of three": [1, 1, "PBDEPBDEPBDEPBDEPBDES", 283, 1, 11],
  "a transaction of two": [3, 3, "PBDEPBDESPBDESPBDES", 276, 1, 61],
  "a stream of three rows in two batches": [3, 3, "PBDEPBDESDESCPBDES", 275, 1, 97],
  "twenty queries at once on one connection": [1, 2, "BES".repeat(20), 1610, 20, 63],
};
const perRequest: Readonly<Record<Call, Budget>> = {
  "a query by its name": [1, 1, "BES", 80, 3, 24],
  "a query without a name": [1, 1, "PBDES", 70, 3, 20],
  "a readOnly query": [1, 1, "PBDEPBDEPBDES", 190, 3, 19],
  "a query under settings": [1, 1, "PBDEPBDEPBDEPBDES", 309, 3, 19],
  "a batch of three": [1, 1, "PBDEPBDEPBDEPBDEPBDES", 283, 3, 19],
  "a transaction of two": [3, 3, "PBDEPBDESPBDESPBDES", 276, 3, 67],
  "a stream of three rows in two batches": [3, 3, "PBDEPBDESDESCPBDES", 275, 3, 103],
  "twenty queries at once on one connection": [1, 2, "BES".repeat(20), 1610, 60, 349],
};
const overWarmPool: Budget = [1, 1, "BES", 80, 0, 4];

const cases = Object.keys(calls) as Call[];
let wire: Wire;

beforeAll(async () => {
  // nothing was unused for a while, and nothing was slow: on a slow machine neither
  stopWallClock();
  vi.spyOn(performance, "now").mockReturnValue(performance.now());
  wire = await startWire(inject("postgres"));
});
afterAll(() => wire.close());

describe("what a warm call costs", () => {
  test.each(cases)("over the pool: %s", async (name) => {
    await using db = openPool({ url: urlAt(wire), max: 1 });
    expect(await leastCost(wire, () => calls[name](db))).toEqual(overPool[name]);
  });

  test.each(cases)("over a connection of its request: %s", async (name) => {
    await using db = openRequest({ url: urlAt(wire), max: 1 });
    await runRequest(db, async () => {
      expect(await leastCost(wire, () => calls[name](db))).toEqual(perRequest[name]);
    });
  });

  test("over a WarmPool, as pg's own query", async () => {
    const pool = new WarmPool({ url: urlAt(wire), max: 1 });
    expect(await leastCost(wire, () => pool.query(text, values))).toEqual(overWarmPool);
    await pool.end();
  });
});
