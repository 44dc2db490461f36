import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import type { DatabaseEvent } from "../../../src/entry/node.ts";
import { startWire } from "../../support/wire.ts";
import { eventsOf, openDirect, openPool, until } from "../databases.ts";
import { PAUSE_MS, pause, stopWallClock } from "../pool/passing-time.ts";
import { openPaused } from "../pool/paused.ts";

afterEach(() => void vi.restoreAllMocks());

describe("a connection's life is told", () => {
  test("when it is opened, and each time it serves another call", async () => {
    await using db = openPool({ max: 1 });
    const connects = eventsOf(db, "connect");
    const reuses = eventsOf(db, "reuse");
    stopWallClock();
    const { connectionId } = (await db.query("select 1")).via;
    expect(connects).toEqual([{ type: "connect", transport: "pool", connectionId, durationMs: expect.any(Number) }]);
    expect(connects[0]?.durationMs).toBeGreaterThan(0);
    expect(reuses).toEqual([]);
    await db.query("select 2");
    await db.query("select 3");
    expect(reuses).toEqual(Array(2).fill({ type: "reuse", transport: "pool", connectionId }));
    expect(connects).toHaveLength(1);
  });

  test("when it is used after a pause, and what it says when it is asked", async () => {
    await using wire = await startWire(inject("postgres"));
    const { db, connectionId } = await openPaused(wire);
    await using _ = db;
    const thaws = eventsOf(db, "thaw");
    const probes = eventsOf(db, "probe");
    await db.query("insert into pg_temp.none select 1").catch(() => {});
    expect(thaws).toMatchObject([{ connectionId }]);
    expect(thaws[0]?.idleMs).toBeGreaterThanOrEqual(PAUSE_MS);
    expect(probes).toMatchObject([{ connectionId, answer: "answered" }]);
    expect(db.stats()).toMatchObject({ thaws: 1, probes: 1 });
    await db.query("select 1");
    expect(db.stats()).toMatchObject({ thaws: 1, probes: 1 });
  });

  test("when it is silent, and is replaced", async () => {
    await using wire = await startWire(inject("postgres"));
    const { db, connectionId } = await openPaused(wire);
    await using _ = db;
    const probes = eventsOf(db, "probe");
    const discards = eventsOf(db, "discard");
    wire.hold("open");
    const { via } = await db.query("select 1");
    expect(via.connectionId).not.toBe(connectionId);
    expect(probes).toMatchObject([{ connectionId, answer: "silent" }]);
    expect(discards).toEqual([{ type: "discard", transport: "pool", connectionId, reason: "lost" }]);
  });

  test("when it is found lost by asking it", async () => {
    await using wire = await startWire(inject("postgres"));
    const { db, connectionId } = await openPaused(wire);
    await using _ = db;
    const probes = eventsOf(db, "probe");
    void wire.cutAt(({ from, type }) => from === "client" && type === "S");
    await db.query("select 1");
    expect(probes).toMatchObject([{ connectionId, answer: "lost" }]);
  });

  test("as gone before another takes the place of one that is found lost: there are never more than max", async () => {
    await using wire = await startWire(inject("postgres"));
    const { db } = await openPaused(wire);
    await using _ = db;
    const totals: (readonly [DatabaseEvent["type"], number])[] = [];
    db.subscribe(({ type }) => totals.push([type, db.stats().total]));
    void wire.cutAt(({ from, type }) => from === "client" && type === "S");
    await db.query("select 1");
    expect(totals.map(([type]) => type)).toEqual(["thaw", "discard", "connect", "probe", "query"]);
    expect(Math.max(...totals.map(([, total]) => total))).toBe(1);
  });

  test("when it breaks while nobody uses it, breaks in use, or is too old", async () => {
    await using direct = await openDirect();
    await using db = openPool({ max: 1, lifetimeMs: 60_000, applicationName: "core events" });
    const discards = eventsOf(db, "discard");
    const reasons = () => discards.map(({ reason }) => reason);
    await db.query("select 1");
    await direct.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'core events'");
    await until(() => discards.length === 1);
    await db.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
    expect(reasons()).toEqual(["lost", "broken"]);
    await db.query("select 1");
    pause();
    await db.query("select 1");
    expect(reasons()).toEqual(["lost", "broken", "expired"]);
    expect(db.stats().discarded).toBe(3);
  });

  test("as no thaw when it is asked because another one died", async () => {
    await using direct = await openDirect();
    stopWallClock();
    await using db = openPool({ max: 2 });
    const discards = eventsOf(db, "discard");
    const [pid] = await Promise.all(
      ["select pg_backend_pid() as pid from pg_sleep(0.05)", "select pg_sleep(0.05)"].map(
        async (text) => (await db.query(text)).rows[0]?.pid,
      ),
    );
    pause(1);
    await direct.query("select pg_terminate_backend($1)", [pid]);
    await until(() => discards.length === 1);
    await db.query("select 1");
    expect(db.stats()).toMatchObject({ connects: 2, probes: 1, thaws: 0 });
  });

  test("to every database that shares the pool, until it is closed", async () => {
    const name = randomUUID();
    await using first = openPool({ name });
    const second = openPool({ name });
    await second.query("select 1");
    const told: Record<string, DatabaseEvent["type"][]> = { first: [], second: [] };
    first.subscribe(({ type }) => told.first?.push(type));
    second.subscribe(({ type }) => told.second?.push(type));
    await second.query("select 1");
    expect(told).toEqual({ first: [], second: ["reuse", "query"] });
    await first.query("select 1");
    expect(told).toEqual({ first: ["reuse", "query"], second: ["reuse", "query", "reuse"] });
    await second.close();
    await first.query("select 1");
    expect(told.second).toEqual(["reuse", "query", "reuse"]);
  });
});
