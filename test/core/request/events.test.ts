import { describe, expect, inject, test } from "vitest";
import type { Database, DatabaseEvent } from "../../../src/entry/node.ts";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { startWire } from "../../support/wire.ts";
import { eventsOf, failureOf, openDirect, until, urlAt } from "../databases.ts";
import { openRequest } from "./open-request.ts";

/** The events of connections, as they come. */
function connectionEvents(db: Database): DatabaseEvent[] {
  const told: DatabaseEvent[] = [];
  db.subscribe((event) => void (["connect", "reuse", "discard"].includes(event.type) && told.push(event)));
  return told;
}

const transport = "request";

describe("a connection of a request is told", () => {
  test("when it is opened, and each time it serves another call, as the numbers say", async () => {
    await using db = openRequest();
    const told = connectionEvents(db);
    const ids: unknown[] = [];
    for (let request = 0; request < 2; request++) {
      await runRequest(db, async () => {
        ids.push((await db.query("select 1")).via.connectionId);
        await db.transaction((tx) => tx.query("select 2"));
        await db.query("select 3");
      });
    }
    expect(new Set(ids).size).toBe(2);
    expect(told).toEqual(
      ids.flatMap((connectionId) => [
        { type: "connect", transport, connectionId, durationMs: expect.any(Number) },
        { type: "reuse", transport, connectionId },
        { type: "reuse", transport, connectionId },
      ]),
    );
    expect(told.every((event) => event.type !== "connect" || event.durationMs > 0)).toBe(true);
    expect(db.stats()).toMatchObject({ connects: 2, reuses: 4, discarded: 0 });
  });

  test("when it breaks in use, and when it breaks while nobody uses it, after which no call finds it dead", async () => {
    await using direct = await openDirect();
    await using db = openRequest({ applicationName: "request events" });
    const discards = eventsOf(db, "discard");
    await runRequest(db, async () => {
      const broken = await db.query("select 1");
      await failureOf(db.query("select pg_terminate_backend(pg_backend_pid())"));
      const lost = await db.query("select 2");
      await direct.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'request events'");
      await until(() => discards.length === 2);
      expect(discards).toEqual([
        { type: "discard", transport, connectionId: broken.via.connectionId, reason: "broken" },
        { type: "discard", transport, connectionId: lost.via.connectionId, reason: "lost" },
      ]);
      expect((await db.query("select 3")).via.attempts).toBe(1);
    });
    expect(db.stats()).toMatchObject({ connects: 3, discarded: 2, retries: 0 });
  });

  test("when it breaks between the statements of a session that sends no more", async () => {
    await using direct = await openDirect();
    await using db = openRequest();
    const discards = eventsOf(db, "discard");
    await runRequest(db, async () => {
      const connectionId = await db.session(async (session) => {
        const pid = (await session.sql<{ pid: number }>`select pg_backend_pid() as pid`)[0]?.pid;
        await direct.query("select pg_terminate_backend($1, 5000)", [pid]);
        // a turn of the event loop in which the farewell is read
        const alive = "select 1 from pg_stat_activity where pid = $1";
        await until(async () => (await direct.query(alive, [pid])).rowCount === 0);
        await direct.query("select 1");
        return session.via.connectionId;
      });
      expect(discards).toEqual([{ type: "discard", transport, connectionId, reason: "lost" }]);
      expect((await db.query("select 1")).via.attempts).toBe(1);
    });
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("never when its login is not finished, nor when it ends with its request", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openRequest({ url: urlAt(wire) });
    const told = connectionEvents(db);
    void wire.cutAt(({ type }) => type === "startup");
    const { via } = await runRequest(db, () => db.query("select 1"));
    expect(via.attempts).toBe(2);
    wire.hold();
    const error = await failureOf(runRequest(db, () => db.query("select 1", [], { deadlineMs: 100 })));
    wire.resume();
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
    expect(told).toEqual([{ type: "connect", transport, connectionId: via.connectionId, durationMs: expect.any(Number) }]);
    expect(db.stats()).toMatchObject({ connects: 1, reuses: 0, discarded: 0 });
  });

  test("without a value of the call it serves", async () => {
    await using db = openRequest();
    const told = connectionEvents(db);
    await runRequest(db, async () => {
      await db.query("select $1::text", ["canary"]);
      await db.query("select $1::text", ["canary"]);
      await failureOf(db.query("select pg_terminate_backend(pg_backend_pid()), $1::text", ["canary"]));
    });
    expect(told.map(({ type }) => type)).toEqual(["connect", "reuse", "reuse", "discard"]);
    expect(JSON.stringify(told)).not.toContain("canary");
  });
});
