import { expect, inject, test } from "vitest";
import { sql } from "../../../src/entry/node.ts";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { startWire } from "../../support/wire.ts";
import { until, urlAt } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";

const numbers = (count: number) => sql<{ n: number }>`select n from generate_series(1, ${count}::int) n`;

test("a stream that is read when its request's work is done opens a connection of its own, which ends with it", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openRequest({ url: urlAt(wire) });
  const stream = await runRequest(db, async () => {
    await db.query("select 1");
    return db.stream(numbers(5), { batchSize: 2 });
  });
  expect(wire.openConnections()).toBe(0);
  const seen: number[] = [];
  for await (const { n } of stream) seen.push(n);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  await until(() => wire.openConnections() === 0);
});

test("a stream that is read on when its request's work is done keeps its connection to its end", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openRequest({ url: urlAt(wire) });
  const ending: Promise<unknown>[] = [];
  const rows = await db.scope({ waitUntil: (promise) => void ending.push(promise) }, async () => {
    const iterator = db.stream(numbers(5), { batchSize: 2 })[Symbol.asyncIterator]();
    await iterator.next();
    return iterator;
  });
  const seen: unknown[] = [];
  for (let next = await rows.next(); !next.done; next = await rows.next()) seen.push(next.value.n);
  expect(seen).toEqual([2, 3, 4, 5]);
  await Promise.all(ending);
  expect(ending).toHaveLength(1);
  expect(wire.connections()).toBe(1);
  await until(() => wire.openConnections() === 0);
});

test("a stream holds its connection, and other calls of the request take another", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openRequest({ url: urlAt(wire) });
  await runRequest(db, async () => {
    for await (const { n } of db.stream(numbers(3), { batchSize: 1 })) expect(await db.sql`select ${n}::int as n`).toEqual([{ n }]);
    for await (const _ of db.stream(numbers(3), { batchSize: 1 })) break;
    expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
  });
  expect(wire.connections()).toBe(2);
  await until(() => wire.openConnections() === 0);
});
