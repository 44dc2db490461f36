import { createServer } from "node:net";
import { expect, inject, test } from "vitest";
import { startWire } from "../../support/wire.ts";
import { eventsOf, failureOf, openDirect, openPool, urlAt } from "../databases.ts";

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("a script over directUrl that cannot be reached keeps no call from the database's own address", async () => {
  await using db = openPool({ directUrl: urlAt({ port: await closedPort() }) });
  const changes = eventsOf(db, "breaker");
  const startedAt = Date.now();
  // five failures in a row, and for longer, are an outage of the address they are of
  for (let script = 0; script < 5 || Date.now() - startedAt < 300; script++) {
    expect(await failureOf(db.script("select 1"))).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent" });
  }
  expect([changes, db.stats().breaker]).toEqual([[], "closed"]);
  expect((await db.query("select 1")).rowCount).toBe(1);
});

test("a script over directUrl runs while calls are kept from the database's own address, and lets none of them pass", async () => {
  await using direct = await openDirect();
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), directUrl: urlAt() });
  wire.onMessage(({ type }) => type === "startup" && wire.cut());
  while (db.stats().breaker !== "open") await failureOf(db.query("select 1"));
  await db.script("create table direct_script (id int); drop table direct_script");
  expect(db.stats().breaker).toBe("open");
  expect((await direct.query("select to_regclass('direct_script') as name")).rows).toEqual([{ name: null }]);
});

test("scripts over directUrl that cannot be reached use up nothing of what pays for the database's own repetitions", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), directUrl: urlAt({ port: await closedPort() }) });
  // four repetitions each; a budget pays for a hundred
  const scripts = await Promise.all(Array.from({ length: 30 }, () => failureOf(db.script("select 1"))));
  expect(new Set(scripts.map(({ code }) => code))).toEqual(new Set(["CONNECT_FAILED"]));
  const before = db.stats().retries;
  const stop = wire.onMessage(({ type }) => {
    if (type !== "startup") return;
    stop();
    wire.cut();
  });
  expect((await db.query("select 1")).rowCount).toBe(1);
  expect(db.stats().retries - before).toBe(1);
});

test("a script without directUrl counts for the database's own address", async () => {
  await using db = openPool({ url: urlAt({ port: await closedPort() }) });
  const giveUpAt = Date.now() + 10_000;
  while (db.stats().breaker !== "open" && Date.now() < giveUpAt) await failureOf(db.script("select 1"));
  expect(db.stats().breaker).toBe("open");
});
