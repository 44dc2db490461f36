import { setTimeout as delay } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { startWire } from "../../support/wire.ts";
import { failureOf, openPool, until, urlAt } from "../databases.ts";

const ACQUIRE_TIMEOUT_MS = 50;

test.each([1, 2])("calls that wait for their own pool to connect wait as long as connecting may take, with max %i", async (max) => {
  await using wire = await startWire(inject("postgres"));
  wire.hold();
  await using db = openPool({ url: urlAt(wire), max, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS, connectTimeoutMs: 20_000 });
  const answers = Promise.all([1, 2, 3, 4].map((n) => db.query("select $1::int as n", [n])));
  await until(() => db.stats().waiting === 4 - max);
  await delay(4 * ACQUIRE_TIMEOUT_MS);
  wire.resume();
  expect((await answers).map(({ rows }) => rows)).toEqual([1, 2, 3, 4].map((n) => [{ n }]));
  expect(db.stats()).toMatchObject({ connects: max, retries: 0 });
});

test("calls behind a connection that does not come are told of connecting, and not of neighbours", async () => {
  await using wire = await startWire(inject("postgres"));
  wire.hold();
  await using db = openPool({ url: urlAt(wire), max: 1, acquireTimeoutMs: 20_000, connectTimeoutMs: 100 });
  const failures = await Promise.all([1, 2, 3].map((n) => failureOf(db.query("select $1::int", [n]))));
  for (const failure of failures) {
    expect(failure).toMatchObject({ code: "CONNECT_TIMEOUT", fate: "not-sent" });
    expect(failure.message).toMatch(/^Connecting to 127\.0\.0\.1:\d+ took over 100 ms \(connectTimeoutMs\)/);
  }
  expect(db.stats()).toMatchObject({ waiting: 0, running: 0 });
});

test("once the connection is open, who holds it counts: ACQUIRE_TIMEOUT", async () => {
  await using wire = await startWire(inject("postgres"));
  wire.hold();
  await using db = openPool({ url: urlAt(wire), max: 1, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS, connectTimeoutMs: 20_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const holder = db.session(() => promise);
  const waiting = failureOf(db.query("select 1"));
  await until(() => db.stats().waiting === 1);
  await delay(2 * ACQUIRE_TIMEOUT_MS);
  wire.resume();
  expect(await waiting).toMatchObject({ code: "ACQUIRE_TIMEOUT", fate: "not-sent" });
  expect(db.stats()).toMatchObject({ connects: 1 });
  resolve();
  await holder;
});

test("a warm-up that nobody waits for is given up by release, which does not wait", async () => {
  await using wire = await startWire(inject("postgres"));
  wire.hold();
  await using db = openPool({ url: urlAt(wire), max: 1, connectTimeoutMs: 20_000 });
  const warming = failureOf(db.warmUp());
  await until(() => wire.connections() === 1);
  await db.release();
  expect(await warming).toMatchObject({ code: "ABORTED", fate: "not-sent" });
  await until(() => db.stats().total === 0);
  wire.resume();
  expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  expect(wire.connections()).toBe(2);
});

test("of warm-ups at once, that of createDatabase among them, release gives up each", async () => {
  await using wire = await startWire(inject("postgres"));
  wire.hold();
  await using db = openPool({ url: urlAt(wire), max: 2, connectTimeoutMs: 20_000, warmUp: true });
  const warming = [db.warmUp(), db.warmUp()].map(failureOf);
  await until(() => wire.connections() > 0 && db.stats().running === 3);
  await db.release();
  for (const failure of warming) expect(await failure).toMatchObject({ code: "ABORTED", fate: "not-sent" });
  await until(() => db.stats().running === 0 && db.stats().total === 0);
  wire.resume();
});

test("a warm-up whose connection a call waits for goes on for it", async () => {
  await using wire = await startWire(inject("postgres"));
  wire.hold();
  await using db = openPool({ url: urlAt(wire), max: 1, connectTimeoutMs: 20_000 });
  const warming = failureOf(db.warmUp());
  const answer = db.query("select 1 as one");
  await until(() => wire.connections() === 1 && db.stats().waiting === 1);
  await db.release();
  await warming;
  wire.resume();
  expect((await answer).rows).toEqual([{ one: 1 }]);
  expect(wire.connections()).toBe(1);
});

test("a call that ends at its deadline says as its cause that its connection was still being opened, and to where", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), max: 1, acquireTimeoutMs: 20_000, connectTimeoutMs: 20_000 });
  wire.hold();
  // the first opens it, the second waits for it
  const [opening, behind] = [1, 2].map(() => failureOf(db.query("select 1", [], { deadlineMs: 50 })));
  for (const failure of [await opening, await behind]) {
    expect(failure).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
    expect(String(failure?.cause)).toMatch(/^Error: Connecting to 127\.0\.0\.1:\d+ was not over/);
    expect(Object.keys(failure ?? {})).not.toContain("cause");
  }
  wire.resume();
  const { promise, resolve } = Promise.withResolvers<void>();
  const holder = db.session(() => promise);
  await until(() => db.stats().idle === 0 && db.stats().connects === 1);
  const late = await failureOf(db.query("select 1", [], { deadlineMs: 50 }));
  expect([late.code, late.cause]).toEqual(["DEADLINE_EXCEEDED", undefined]);
  resolve();
  await holder;
});
