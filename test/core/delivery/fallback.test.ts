import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import { createDatabase, sql } from "../../../src/entry/node.ts";
import { startWire } from "../../support/wire.ts";
import { eventsOf, failureOf, openPool, until, urlAt } from "../databases.ts";
import { pause, stopWallClock } from "../pool/passing-time.ts";

afterEach(() => void vi.restoreAllMocks());

const nowhere = () => createDatabase({ url: "postgres://u@127.0.0.1:1/d", name: randomUUID() });
const cached = [{ id: 1 }, { id: 2 }];

describe("the fallback of a query", () => {
  test("gives the rows when the database cannot be reached, and the result says so", async () => {
    await using db = nowhere();
    const fallback = vi.fn(async () => cached);
    const result = await db.query(sql<{ id: number }>`select id from products`, { readOnly: true, fallback });
    expect(result).toEqual({
      rows: cached,
      rowCount: 2,
      command: null,
      fields: [],
      via: { transport: "pool", connectionId: null, reused: null, attempts: 0, fallback: true },
    });
    expect(result.rows).not.toBe(cached);
    expect(fallback.mock.calls).toMatchObject([[{ code: "CONNECT_FAILED", fate: "not-sent" }]]);
  });

  test("is told at once while the breaker is open", async () => {
    await using db = nowhere();
    const attempts = eventsOf(db, "query");
    const codes: string[] = [];
    const fallback = (error: { readonly code: string }) => {
      codes.push(error.code);
      return cached;
    };
    while (db.stats().breaker !== "open") await db.query("select 1", [], { readOnly: true, fallback });
    // until then nobody may try again
    stopWallClock();
    await db.query("select 1", [], { readOnly: true, fallback });
    expect(codes.at(-1)).toBe("CIRCUIT_OPEN");
    expect(attempts.at(-1)).toMatchObject({ attempts: 0, failure: { code: "CIRCUIT_OPEN", fate: "not-sent" } });
  });

  test("stands in when the deadline has passed, the queue is full or no connection comes free", async () => {
    await using db = openPool({ max: 1, maxWaiting: 1, acquireTimeoutMs: 50 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const holder = db.session(() => promise);
    const read = (deadlineMs = 10_000) => db.query("select 3 as id", [], { readOnly: true, fallback: () => cached, deadlineMs });
    const results = await Promise.all([read(), read()]);
    expect((await read(10)).via.fallback).toBe(true);
    expect(results.map(({ via }) => via.fallback)).toEqual([true, true]);
    resolve();
    await holder;
    const { rows, via } = await read();
    expect([rows, "fallback" in via]).toEqual([[{ id: 3 }], false]);
  });

  test("is never asked about a statement that is wrong, nor about a call that was given up", async () => {
    await using db = openPool();
    const fallback = vi.fn(() => cached);
    expect(await failureOf(db.query("select nothing", [], { readOnly: true, fallback }))).toMatchObject({ code: "42703" });
    const aborted = db.query("select 1", [], { readOnly: true, fallback, signal: AbortSignal.abort() });
    expect(await failureOf(aborted)).toMatchObject({ code: "ABORTED" });
    expect(fallback).not.toHaveBeenCalled();
  });

  test("fails the query with what it throws", async () => {
    await using db = nowhere();
    const fallback = () => Promise.reject(new RangeError("nothing cached"));
    await expect(db.query("select 1", [], { readOnly: true, fallback })).rejects.toThrow(RangeError);
  });

  test("is waited for no longer than its call may last, nor once that is given up: the query fails as it had", async () => {
    await using db = nowhere();
    await using full = openPool({ max: 1, acquireTimeoutMs: 10_000 });
    await using _ = await full.session();
    const controller = new AbortController();
    const asked: string[] = [];
    const silent = (kind: string) => ({
      readOnly: true,
      fallback() {
        asked.push(kind);
        return new Promise<never>(() => {});
      },
    });
    // one that is no promise, and answers nobody either
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is meant here
    const mute = { readOnly: true, fallback: () => ({ then() {} }) as never };
    const given = Promise.all([
      failureOf(db.query("select 1", [], { ...silent("deadline"), deadlineMs: 600 })),
      failureOf(db.query("select 1", [], { ...mute, deadlineMs: 600 })),
      failureOf(full.query("select 1", [], { ...silent("too late"), deadlineMs: 20 })),
      failureOf(db.query("select 1", [], { ...silent("signal"), deadlineMs: 0, signal: controller.signal })),
    ]);
    await until(() => asked.length === 3);
    controller.abort("enough");
    // a slow machine may not be through with all attempts by then
    const code = expect.stringMatching(/^(CONNECT_FAILED|DEADLINE_EXCEEDED)$/);
    expect(await given).toMatchObject([
      { code, fate: "not-sent" },
      { code, fate: "not-sent" },
      { code: "DEADLINE_EXCEEDED", fate: "not-sent" },
      { code: "ABORTED", fate: "not-sent", cause: "enough" },
    ]);
    const later = () => new Promise<typeof cached>((resolve) => setTimeout(resolve, 20, cached));
    // whoever is asked when the time is over has some of its own
    expect((await full.query("select 1", [], { readOnly: true, fallback: later, deadlineMs: 20 })).rows).toEqual(cached);
  });

  test("is only for reads", async () => {
    await using db = openPool();
    for (const options of [{}, { readOnly: false }, { idempotent: true }]) {
      const error = await failureOf(db.query("select 1", [], { ...options, fallback: () => cached }));
      expect(error).toMatchObject({ code: "INVALID_OPTION", fate: "not-sent", message: expect.stringContaining("readOnly") });
    }
    expect(await failureOf(db.query("select 1", [], { readOnly: true, fallback: cached } as object))).toMatchObject({
      code: "INVALID_OPTION",
    });
    expect(await failureOf(db.batch([sql`select 1`], { readOnly: true, fallback: () => cached } as object))).toMatchObject({
      code: "INVALID_OPTION",
    });
    expect(db.stats().connects).toBe(0);
  });
});

describe("a server that is away for a while", () => {
  test("is left alone while it is, and used within a second of its return", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 4 });
    const breaker = eventsOf(db, "breaker");
    let away = true;
    wire.onMessage(({ type }) => type === "startup" && away && wire.cut());
    while (db.stats().breaker !== "open") await failureOf(db.query("select 1"));
    stopWallClock();
    wire.reset();
    const codes = await Promise.all(Array.from({ length: 100 }, async () => (await failureOf(db.query("select 1"))).code));
    expect(codes.filter((code) => code !== "CIRCUIT_OPEN").length).toBeLessThanOrEqual(1);
    expect(wire.connections()).toBeLessThanOrEqual(1);
    away = false;
    const backAt = Date.now();
    for (let rows: unknown; rows === undefined; ) {
      rows = await db.query("select 1 as one").then(
        (result) => result.rows,
        () => pause(20),
      );
    }
    // by the events' own clock: the trial that succeeded was allowed half a second after the one before
    const trial = breaker.findLast(({ state }) => state === "half-open");
    expect((trial?.until ?? 0) - 500 - backAt).toBeLessThan(1_000);
    expect(breaker.at(-1)).toEqual({ type: "breaker", transport: "pool", state: "closed", until: null });
    expect(db.stats().breaker).toBe("closed");
  });
});
