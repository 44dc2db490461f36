import { expect, inject, test } from "vitest";
import { startWire } from "../../support/wire.ts";
import { eventsOf, failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";

test("a call beside a session that holds the only connection waits for it in vain", async () => {
  await using db = openPool({ max: 1, acquireTimeoutMs: 100 });
  await using session = await db.session();
  expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "ACQUIRE_TIMEOUT", fate: "not-sent" });
  expect((await session.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
});

test("a session costs nothing to take and to release, and a round trip for each statement", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), max: 1 });
  await db.query("select 1");
  wire.reset();
  {
    await using session = await db.session();
    await session.query("select 1");
    await session.query("select 2");
  }
  expect(wire.roundTrips()).toBe(2);
});

test("what a session has set is undone in one write before somebody else has the connection", async () => {
  await using db = openPool({ max: 1 });
  const discards = eventsOf(db, "discard");
  let first: string | null;
  {
    await using session = await db.session();
    await session.query("set work_mem = '321kB'");
    first = session.via.connectionId;
  }
  const { rows, via } = await db.query("show work_mem");
  expect(rows).toEqual([{ work_mem: "4MB" }]);
  expect(via.connectionId).toBe(first);
  expect(discards).toEqual([]);
});

test("a lock that was lost with its session at the deadline does not pass for one that held", async () => {
  await using direct = await openDirect();
  await using db = openPool();
  const locked = async () => (await direct.query("select 1 from pg_locks where locktype = 'advisory' and objid = 4711")).rowCount === 1;
  async function work() {
    await using session = await db.session({ deadlineMs: 250 });
    await session.query("select pg_advisory_lock(4711)");
    expect(await locked()).toBe(true);
    await until(async () => !(await locked()));
    return "done under the lock";
  }
  expect(await failureOf(work())).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "unknown" });
});

test("what was thrown and the end that nobody was told of come together, as the language has it", async () => {
  await using db = openPool();
  // so that 50 ms are not needed for a login
  await db.warmUp();
  const ended = AbortSignal.timeout(250);
  async function work() {
    await using _ = await db.session({ deadlineMs: 50 });
    await until(() => ended.aborted);
    throw new Error("own");
  }
  const thrown = await work().catch((error) => error);
  expect(thrown).toBeInstanceOf(SuppressedError);
  expect(thrown).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", fate: "not-sent" }, suppressed: { message: "own" } });
});

test("a connection that is lost while a session holds it fails its next call, and no release", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), max: 1 });
  const session = await db.session();
  await session.query("select 1");
  wire.cut();
  await until(() => wire.openConnections() === 0);
  expect(await failureOf(session.query("select 1"))).toMatchObject({ fate: "not-sent" });
  await session.release();
  expect((await db.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
});
