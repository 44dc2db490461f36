import { describe, expect, inject, test } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import { createRequestDatabase, runRequest } from "../faults/subjects/request-database.ts";
import { failureOf, openPool, urlAt } from "./databases.ts";

const rows = (count: number) => sql`select repeat('x', 1000) as x from generate_series(1, ${count}::int)`;

const ways: readonly (readonly [way: string, open: (options: DatabaseOptions) => Database])[] = [
  ["a pool", (options) => openPool({ max: 1, ...options })],
  ["a request's connections", (options) => createRequestDatabase({ url: urlAt(), max: 1, ...options })],
];

describe.each(ways)("rows over %s that hold more than maxResponseBytes", (way, open) => {
  const around = (db: Database, work: () => Promise<void>) => (way === "a pool" ? work() : runRequest(db, work));

  test("are passed over: the statement was done, and the connection goes on", async () => {
    await using db = open({ maxResponseBytes: 100_000 });
    await around(db, async () => {
      const { connectionId } = (await db.query(rows(90))).via;
      const error = await failureOf(db.query(rows(110)));
      expect(error).toMatchObject({ name: "DecodeError", code: "RESPONSE_TOO_LARGE", fate: "applied", retryable: false });
      expect(error.message).toContain("100000 bytes (maxResponseBytes)");
      const next = await db.query(rows(1));
      expect(next).toMatchObject({ rowCount: 1, via: { connectionId } });
    });
  });

  test("end with the deadline where they have no end", async () => {
    await using db = open({ maxResponseBytes: 100_000 });
    await around(db, async () => {
      const error = await failureOf(db.query(rows(2_000_000_000), { deadlineMs: 300 }));
      expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
      expect((await db.query(rows(1))).rowCount).toBe(1);
    });
  });

  test("fail a transaction, which is rolled back", async () => {
    await using db = open({ maxResponseBytes: 100_000 });
    await around(db, async () => {
      const error = await failureOf(db.transaction((tx) => tx.query(rows(110))));
      expect(error).toMatchObject({ code: "RESPONSE_TOO_LARGE", fate: "refused" });
    });
  });
});

test("sessions over WebSocket have the limit, too", async () => {
  await using db = createDatabase({ url: urlAt(), transport: "http", endpoint: inject("endpoint"), maxResponseBytes: 100_000 });
  expect(await failureOf(db.session((session) => session.query(rows(110))))).toMatchObject({ code: "RESPONSE_TOO_LARGE", fate: "applied" });
});
