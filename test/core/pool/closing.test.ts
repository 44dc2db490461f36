import { expect, inject, test } from "vitest";
import { startWire } from "../../support/wire.ts";
import { failureOf, openPool, urlAt } from "../databases.ts";

test("close does not wait for a connection that nobody wants any more", { timeout: 40_000 }, async () => {
  await using wire = await startWire(inject("postgres"));
  const db = openPool({ url: urlAt(wire), max: 1, connectTimeoutMs: 60_000 });
  wire.hold();
  expect(await failureOf(db.query("select 1", [], { deadlineMs: 50 }))).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  await db.close();
  expect(db.stats()).toMatchObject({ total: 0, connects: 0 });
});

test("close waits for no login that nobody answers, where calls have no deadline", async () => {
  await using wire = await startWire(inject("postgres"));
  const db = openPool({ url: urlAt(wire), max: 1, deadlineMs: 0, connectTimeoutMs: 50 });
  wire.hold();
  const failures = [db.query("select 1"), db.transaction((tx) => tx.query("select 1"))].map(failureOf);
  await db.close();
  for (const failure of failures) expect(await failure).toMatchObject({ code: "CONNECT_TIMEOUT", fate: "not-sent" });
});

test("close lets those finish who still wait for a connection", async () => {
  await using wire = await startWire(inject("postgres"));
  const db = openPool({ url: urlAt(wire), max: 1 });
  wire.hold();
  const answers = Promise.all([db.query("select 1 as n"), db.query("select 2 as n")]);
  const closed = db.close();
  wire.resume();
  expect((await answers).map(({ rows }) => rows)).toEqual([[{ n: 1 }], [{ n: 2 }]]);
  await closed;
});
