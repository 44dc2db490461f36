import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { type Database, sql } from "../../src/entry/node.ts";
import { startWire, type Wire } from "../support/wire.ts";
import { openDirect, openPool, until, urlAt } from "./databases.ts";
import { stopWallClock } from "./pool/passing-time.ts";

// what was used a moment ago is not asked: on a slow machine neither
beforeAll(stopWallClock);

const five = [1, 2, 3, 4, 5].map((number) => sql`select ${number}::int as number`);

describe("over the pool", () => {
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

  test("a warm query costs one round trip", async () => {
    await db.sql`select ${"text"}::text`;
    expect(wire.roundTrips()).toBe(1);
  });

  test("a query that the server keeps from writing costs one round trip", async () => {
    await db.query("select 1", [], { readOnly: true });
    expect(wire.roundTrips()).toBe(1);
  });

  test("a batch of five costs one round trip", async () => {
    await db.batch(five);
    expect(wire.roundTrips()).toBe(1);
  });

  test.each([1, 3])("a transaction of %i statements costs one round trip more than that", async (count) => {
    await db.transaction(async (tx) => {
      for (let sent = 0; sent < count; sent++) await tx.sql`select 1`;
    });
    expect(wire.roundTrips()).toBe(count + 1);
  });

  test("a transaction without statements costs nothing", async () => {
    expect(await db.transaction(async () => "done")).toBe("done");
    expect(wire.roundTrips()).toBe(0);
  });

  test("a savepoint that succeeds costs nothing of its own, and an empty one neither", async () => {
    await db.transaction(async (tx) => {
      await tx.sql`select 1`;
      await tx.transaction((inner) => inner.sql`select 2`);
      await tx.transaction(async () => {});
      await tx.sql`select 3`;
    });
    expect(wire.roundTrips()).toBe(4);
  });

  test("a session costs a round trip for each query", async () => {
    await db.session(async (session) => {
      await session.sql`select 1`;
      await session.sql`select 2`;
    });
    expect(wire.roundTrips()).toBe(2);
  });

  test("a batch costs one round trip in a transaction, BEGIN and SAVEPOINT included, and one in a session", async () => {
    await db.transaction(async (tx) => {
      await tx.batch(five);
      await tx.transaction((inner) => inner.batch(five));
    });
    expect(wire.roundTrips()).toBe(3);
    wire.reset();
    await db.session(async (session) => {
      await session.batch(five, { isolation: "serializable" });
      await session.query("begin");
      await session.batch(five);
      await session.query("commit");
    });
    expect(wire.roundTrips()).toBe(4);
  });

  test.each([0, 1, 3])("a transaction of %i statements in a session costs one round trip more than that, if anything", async (count) => {
    await db.session((session) =>
      session.transaction(async (tx) => {
        for (let sent = 0; sent < count; sent++) await tx.sql`select 1`;
      }),
    );
    expect(wire.roundTrips()).toBe(count && count + 1);
  });

  test("a thousand warm queries are one session at the server", async () => {
    await using direct = await openDirect();
    const count = async () =>
      Number((await direct.query("select sessions from pg_stat_database where datname = 'core_sessions'")).rows[0].sessions);
    await direct.query("create database core_sessions");
    try {
      const before = await count();
      const own = openPool({ database: "core_sessions", max: 1 });
      const connections = new Set<string | null>();
      for (let sent = 0; sent < 1_000; sent++) connections.add((await own.query("select 1")).via.connectionId);
      expect(own.stats()).toMatchObject({ connects: 1, reuses: 999, discarded: 0 });
      await own.close();
      expect((await count()) - before).toBe(1);
      expect(connections.size).toBe(1);
    } finally {
      await direct.query("drop database core_sessions with (force)");
    }
  });
});

describe("over HTTP", () => {
  let endpoint: Endpoint;
  let wire: Wire;
  let db: Database;

  beforeAll(async () => {
    endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
    wire = await startWire({ host: "127.0.0.1", port: endpoint.port });
    db = openPool({ transport: "http", endpoint: `http://127.0.0.1:${wire.port}` });
    await db.sql`select 1`;
  });
  afterAll(async () => {
    await db.close();
    await wire.close();
    await endpoint.stop();
  });

  test.each([
    ["a query", () => db.sql`select 1`],
    ["a query that the server keeps from writing", () => db.query("select 1", [], { readOnly: true })],
    ["a batch of five", () => db.batch(five)],
  ])("%s is one POST and one round trip", async (_, send) => {
    wire.reset();
    const before = endpoint.requests;
    await send();
    expect(endpoint.requests - before).toBe(1);
    expect(wire.roundTrips()).toBe(1);
  });

  test("a transaction of one statement is four: upgrade, login, statement, COMMIT, whoever gives the password", async () => {
    await using own = await startWire({ host: "127.0.0.1", port: endpoint.port });
    const { password } = new URL(urlAt());
    const spent: number[] = [];
    for (const given of [{}, { password: () => decodeURIComponent(password) }]) {
      await using each = openPool({ transport: "http", endpoint: `http://127.0.0.1:${own.port}`, ...given });
      await each.transaction((tx) => tx.sql`select 1`);
      spent.push(own.roundTrips());
      await until(() => own.openConnections() === 0);
      own.reset();
    }
    expect(spent).toEqual([4, 4]);
  });
});
