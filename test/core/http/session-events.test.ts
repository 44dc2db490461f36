import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { type Database, type DatabaseEvent, sql } from "../../../src/entry/node.ts";
import { failureOf, openPool, urlAt } from "../databases.ts";

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
});
afterAll(() => endpoint.stop());

const open = (options = {}): Database => openPool({ transport: "http", endpoint: endpoint.url, ...options });

function connectionEvents(db: Database): DatabaseEvent[] {
  const told: DatabaseEvent[] = [];
  db.subscribe((event) => void (["connect", "reuse", "discard"].includes(event.type) && told.push(event)));
  return told;
}

const transport = "http";

describe("a session over WebSocket is told", () => {
  test("when it is opened, login included, and not when it ends with its call", async () => {
    await using db = open();
    const told = connectionEvents(db);
    const ids: unknown[] = [];
    for (let call = 0; call < 2; call++) ids.push((await db.transaction((tx) => tx.query("select 1"))).via.connectionId);
    expect(new Set(ids).size).toBe(2);
    expect(told).toEqual(ids.map((connectionId) => ({ type: "connect", transport, connectionId, durationMs: expect.any(Number) })));
    expect(told.every((event) => event.type === "connect" && event.durationMs > 0)).toBe(true);
    expect(db.stats()).toMatchObject({ connects: 2, reuses: 0, discarded: 0 });
  });

  test("when it breaks", async () => {
    await using db = open();
    const told = connectionEvents(db);
    const values = ["canary"];
    await failureOf(db.session((session) => session.query("select pg_terminate_backend(pg_backend_pid()), $1::text", values)));
    const [connect] = told;
    const connectionId = connect?.type === "connect" ? connect.connectionId : undefined;
    expect(told).toEqual([expect.objectContaining({ type: "connect" }), { type: "discard", transport, connectionId, reason: "broken" }]);
    expect(JSON.stringify(told)).not.toContain("canary");
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 1 });
  });

  test("never when its login is refused, nor is a query that needs none", async () => {
    await using db = open({ password: "wrong" });
    const told = connectionEvents(db);
    expect(await failureOf(db.transaction((tx) => tx.query("select 1")))).toMatchObject({ code: "28P01" });
    await using right = open();
    const toldRight = connectionEvents(right);
    await right.batch([sql`select 1`]);
    expect([told, toldRight]).toEqual([[], []]);
    expect(db.stats()).toMatchObject({ connects: 0, discarded: 0 });
  });
});
