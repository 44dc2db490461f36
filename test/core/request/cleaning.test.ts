import { expect, inject, test } from "vitest";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { LOOK, seen, traces } from "../../support/session-traces.ts";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire } from "../../support/wire.ts";
import { eventsOf, until, urlAt } from "../databases.ts";
import { openRequest } from "./open-request.ts";

test("what a session of a request sets, the rest of the request does not find on its connection", async () => {
  // a call loses its patience with a connection that is reset where the machine is slow, and opens another
  using _timers = stopTimers();
  await using db = openRequest();
  await runRequest(db, async () => {
    const { rows, via } = await db.query(LOOK);
    for (const trace of traces) {
      await db.session((session) => session.query(trace.replaceAll("N", "7"))).catch(() => {});
      expect(seen((await db.query(LOOK)).rows)).toEqual(seen(rows));
    }
    await db.transaction((tx) => tx.query("select pg_advisory_lock(7)"));
    expect(seen((await db.query(LOOK)).rows)).toEqual(seen(rows));
    expect((await db.query("select 1")).via.connectionId).toBe(via.connectionId);
  });
  expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
});

test("nobody waits for a reset, and a connection that ends with its request has none", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openRequest({ url: urlAt(wire) });
  const resets: string[] = [];
  wire.onMessage(({ from, type, body }) => void (from === "client" && type === "Q" && resets.push(body.toString())));
  await runRequest(db, async () => {
    wire.onMessage(({ from, type }) => void (from === "client" && type === "Q" && wire.holdServer("open")));
    await db.session((session) => session.query("set work_mem = '321kB'"));
    const { rows, via } = await db.query("show work_mem");
    expect(rows).toEqual([{ work_mem: "4MB" }]);
    expect(via.reused).toBe(false);
    wire.resume();
  });
  await db.session((session) => session.query("set work_mem = '321kB'"));
  await until(() => wire.openConnections() === 0);
  expect(resets).toHaveLength(1);
  expect(db.stats()).toMatchObject({ connects: 3, discarded: 0 });
});

test("a reset that fails ends the connection", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openRequest({ url: urlAt(wire) });
  const discards = eventsOf(db, "discard");
  await runRequest(db, async () => {
    const { via } = await db.query("select 1");
    const cut = wire.cutAt(({ from, type }) => from === "client" && type === "Q");
    await db.session((session) => session.query("set work_mem = '321kB'"));
    await cut;
    expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
    expect(discards).toEqual([{ type: "discard", transport: "request", connectionId: via.connectionId, reason: "lost" }]);
  });
  expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
});
