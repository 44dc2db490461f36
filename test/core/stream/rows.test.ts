import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openPool, urlAt } from "../databases.ts";
import { stopWallClock } from "../pool/passing-time.ts";

// what was used a moment ago is not asked: on a slow machine neither
beforeAll(stopWallClock);

const numbers = (count: number) => sql<{ n: number }>`select n from generate_series(1, ${count}::int) n`;

let wire: Wire;
let db: Database;

beforeAll(async () => {
  wire = await startWire(inject("postgres"));
  db = openPool({ url: urlAt(wire), max: 1 });
});
beforeEach(async () => {
  await db.sql`select 1`;
  wire.reset();
});
afterAll(async () => {
  await db.close();
  await wire.close();
});

describe("a stream over a warm pool", () => {
  test("gives its first row after one round trip, and costs one more for each batch and for its end", async () => {
    const seen: number[] = [];
    const trips: number[] = [];
    for await (const { n } of db.stream(numbers(7), { batchSize: 3 })) {
      seen.push(n);
      trips.push(wire.roundTrips());
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(trips).toEqual([1, 1, 1, 2, 2, 2, 3]);
    expect(wire.roundTrips()).toBe(4);
  });

  test("asks for no batch before the one before it was taken", async () => {
    let executed = 0;
    const stop = wire.onMessage(({ from, type }) => {
      if (from === "client" && type === "E") executed++;
    });
    const rows = db.stream(numbers(10), { batchSize: 5 })[Symbol.asyncIterator]();
    for (let taken = 0; taken < 5; taken++) await rows.next();
    const afterFive = executed;
    await rows.next();
    const afterSix = executed;
    await rows.return?.();
    stop();
    // BEGIN, and the portal for each batch
    expect([afterFive, afterSix]).toEqual([2, 3]);
  });

  test("sends nothing before its first row is asked for, and nothing when it is left before", async () => {
    const stream = db.stream(numbers(3));
    const rows = stream[Symbol.asyncIterator]();
    await rows.return?.();
    expect(await rows.next()).toEqual({ value: undefined, done: true });
    expect(wire.roundTrips()).toBe(0);
    expect(() => stream.batches()).toThrow(expect.objectContaining({ code: "STREAM_USED", fate: "not-sent" }));
  });

  test("leaves the connection fit for the next when it is broken off", async () => {
    for await (const { n } of db.stream(numbers(1_000), { batchSize: 10 })) if (n === 15) break;
    expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
    expect(wire.connections()).toBe(0);
    expect(db.stats()).toMatchObject({ running: 0, idle: 1, total: 1 });
  });

  test("is rolled back, and says so, when what writes is broken off", async () => {
    await db.sql`drop table if exists streamed`;
    await db.sql`create table streamed (n int)`;
    const insert = sql`insert into streamed select generate_series(1, 10) returning n`;
    const error = await failureOf(
      (async () => {
        for await (const _ of db.stream(insert, { batchSize: 3 })) break;
      })(),
    );
    expect(error).toMatchObject({ code: "STREAM_BROKEN_OFF", fate: "refused" });
    expect(await db.sql`select count(*)::int as n from streamed`).toEqual([{ n: 0 }]);
    const thrown = new Error("the loop's own");
    await expect(
      (async () => {
        for await (const _ of db.stream(insert)) throw thrown;
      })(),
    ).rejects.toBe(thrown);
    expect(await db.sql`select count(*)::int as n from streamed`).toEqual([{ n: 0 }]);
    let seen = 0;
    for await (const _ of db.stream(insert, { batchSize: 3 })) seen++;
    expect(seen).toBe(10);
    expect(await db.sql`select count(*)::int as n from streamed`).toEqual([{ n: 10 }]);
  });

  test("takes text and values, arrays, and batches", async () => {
    const batches: unknown[][] = [];
    for await (const batch of db
      .stream("select n, 'x' from generate_series(1, $1::int) n", [3], { rowMode: "array", batchSize: 2 })
      .batches())
      batches.push(batch);
    expect(batches).toEqual([
      [
        [1, "x"],
        [2, "x"],
      ],
      [[3, "x"]],
    ]);
  });

  test("lets a transaction go on between its rows, by other streams too", async () => {
    await db.transaction(async (tx) => {
      const pairs: unknown[] = [];
      for await (const { n } of tx.stream(numbers(5), { batchSize: 2 })) {
        const inner = [];
        for await (const row of tx.stream(numbers(n), { batchSize: 1 })) inner.push(row.n);
        pairs.push([n, inner.length, (await tx.sql`select ${n}::int as m`)[0]?.m]);
      }
      expect(pairs).toEqual([1, 2, 3, 4, 5].map((n) => [n, n, n]));
      expect(await tx.sql`select count(*)::int as open from pg_cursors where name <> ''`).toEqual([{ open: 0 }]);
    });
  });
});
