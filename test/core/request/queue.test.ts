import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, inject, test } from "vitest";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { startWire } from "../../support/wire.ts";
import { failureOf, until, urlAt } from "../databases.ts";
import { openRequest } from "./open-request.ts";

describe("the queue of a request", () => {
  test("refuses at once what would be one too many to wait, and serves the rest", async () => {
    await using db = openRequest({ max: 1, maxWaiting: 2 });
    await runRequest(db, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const holder = db.session(() => promise);
      const waiting = [db.query("select 1"), db.transaction((tx) => tx.query("select 1"))];
      await until(() => db.stats().waiting === 2);
      const error = await failureOf(db.query("select 1", [], { idempotent: true }));
      expect(error).toMatchObject({ name: "ConnectionError", code: "QUEUE_FULL", fate: "not-sent", retryable: true });
      expect(error.message).toBe("2 calls wait for a connection (maxWaiting), and no more are taken. Send less at once. Nothing was sent.");
      expect(db.stats()).toMatchObject({ waiting: 2, retries: 0 });
      resolve();
      await Promise.all([holder, ...waiting]);
      expect((await db.query("select 1")).rowCount).toBe(1);
    });
  });

  test("may be left out altogether: what need not wait is served, by another connection where there may be one", async () => {
    const states = async (max: number) => {
      await using db = openRequest({ max, maxWaiting: 0 });
      return runRequest(db, async () => {
        const calls = await Promise.allSettled([1, 2, 3].map(() => db.query("select 1")));
        return { served: calls.filter(({ status }) => status === "fulfilled").length, connects: db.stats().connects };
      });
    };
    expect([await states(1), await states(2)]).toEqual([
      { served: 1, connects: 1 },
      { served: 2, connects: 2 },
    ]);
  });

  test("of one database is not filled by another's", async () => {
    await using first = openRequest({ max: 1, maxWaiting: 1 });
    await using second = openRequest({ max: 1, maxWaiting: 1 });
    await runRequest(first, async () => {
      const calls = [first, first, second, second].map((db) => db.query("select 1"));
      expect((await Promise.all(calls)).length).toBe(4);
    });
  });

  test("waits for a connection that is being opened as long as that may take, and then for whoever holds it", async () => {
    await using wire = await startWire(inject("postgres"));
    wire.hold();
    await using db = openRequest({ url: urlAt(wire), max: 1, acquireTimeoutMs: 500, connectTimeoutMs: 20_000 });
    await runRequest(db, async () => {
      const answers = Promise.all([1, 2, 3].map((n) => db.query("select $1::int as n", [n])));
      await until(() => db.stats().waiting === 2);
      await delay(700);
      wire.resume();
      expect((await answers).map(({ rows }) => rows)).toEqual([1, 2, 3].map((n) => [{ n }]));
      const { promise, resolve } = Promise.withResolvers<void>();
      const holder = db.session(() => promise);
      expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "ACQUIRE_TIMEOUT", fate: "not-sent" });
      resolve();
      await holder;
      expect(db.stats()).toMatchObject({ connects: 1, retries: 0 });
    });
  });

  test("serves ten thousand calls at once in the order they came, over one connection", async () => {
    // behind others they would end in the order of their connection's packets
    await using db = openRequest({ max: 1, acquireTimeoutMs: 60_000, deadlineMs: 60_000, pipelining: false });
    const order: number[] = [];
    await runRequest(db, () =>
      Promise.all(Array.from({ length: 10_000 }, (_, index) => db.query("select 1").then(() => order.push(index)))),
    );
    expect(order).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
    expect(db.stats()).toMatchObject({ connects: 1, reuses: 9_999 });
  });
});
