import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { sql } from "../../../src/entry/node.ts";
import { isCommandComplete, isStatement } from "../../support/postgres-messages.ts";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table losses (id int)");
});
beforeEach(async () => {
  await direct.query("truncate losses");
  wire = await startWire(inject("postgres"));
  return () => wire.close();
});
afterAll(async () => {
  await direct.query("drop table losses");
  await direct.end();
});

const open = (options = {}) => openPool({ url: urlAt(wire), max: 1, applicationName: "core losses", ...options });
const insert = sql`insert into losses values (1)`;
const countRows = async () => Number((await direct.query("select count(*) from losses")).rows[0].count);
/** The server ends a session on its own time, after its connection is lost. */
const allQuiet = () =>
  until(
    async () =>
      (await direct.query("select 1 from pg_stat_activity where application_name = 'core losses' and state <> 'idle'")).rowCount === 0,
  );

describe("an idle connection", () => {
  test("that the server ends is replaced by the next query, and the process lives", async () => {
    await using db = open();
    const first = await db.query<{ pid: number }>("select pg_backend_pid() as pid");
    await direct.query("select pg_terminate_backend($1)", [first.rows[0]?.pid]);
    await until(() => db.stats().total === 0);
    const second = await db.query("select 1");
    expect(second.via).toMatchObject({ reused: false, attempts: 1 });
    expect(second.via.connectionId).not.toBe(first.via.connectionId);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("that the network resets is replaced by the next query", async () => {
    await using db = open();
    await db.query("select 1");
    wire.cut();
    await until(() => db.stats().total === 0);
    expect((await db.query("select 1")).via.reused).toBe(false);
  });
});

describe("a connection lost while a statement is on its way", () => {
  test("leaves the fate unknown, for the statement was carried out", async () => {
    await using db = open();
    await db.query("select 1");
    const cut = wire.cutAt(({ from, type }) => from === "client" && type === "S", { passOn: true });
    const error = await failureOf(db.query(insert));
    await cut;
    expect(error).toMatchObject({ name: "ConnectionError", code: "CONNECTION_LOST", fate: "unknown", retryable: false });
    await until(async () => (await countRows()) === 1);
    expect(db.stats().retries).toBe(0);
    expect((await db.query("select 1")).via.reused).toBe(false);
  });

  test("leaves the fate unknown also when the server never had the statement", async () => {
    await using db = open();
    const cut = wire.cutAt(isStatement("insert"));
    expect(await failureOf(db.query(insert))).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    await cut;
    await allQuiet();
    expect(await countRows()).toBe(0);
  });

  test.each(["idempotent", "readOnly"] as const)("is asked again when the query is %s", async (claim) => {
    await using db = open();
    const cut = wire.cutAt(isStatement("select 7"));
    const result = await db.query("select 7 as seven", [], { [claim]: true });
    await cut;
    expect(result.rows).toEqual([{ seven: 7 }]);
    expect(result.via).toMatchObject({ attempts: 2, reused: false });
    expect(db.stats().retries).toBe(1);
  });

  test("leaves the fate of a batch unknown once its COMMIT was written", async () => {
    await using db = open();
    const cut = wire.cutAt(isCommandComplete("COMMIT"));
    const error = await failureOf(db.batch([insert, insert]));
    await cut;
    expect(error).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    expect(await countRows()).toBe(2);
  });

  test("refuses what was done in a transaction before its COMMIT", async () => {
    await using db = open();
    const cut = wire.cutAt(isStatement("select 'second'"));
    const failure = failureOf(
      db.transaction(async (tx) => {
        await tx.query(insert);
        await tx.sql`select 'second'`;
      }),
    );
    expect(await failure).toMatchObject({ code: "CONNECTION_LOST", fate: "refused", retryable: true });
    await cut;
    await allQuiet();
    expect(await countRows()).toBe(0);
  });

  test("leaves a transaction's fate unknown when its COMMIT was carried out, whatever retries were asked for", async () => {
    await using db = open();
    let runs = 0;
    const cut = wire.cutAt(isCommandComplete("COMMIT"));
    const failure = failureOf(
      db.transaction(
        async (tx) => {
          runs++;
          await tx.query(insert);
        },
        { retries: 3 },
      ),
    );
    expect(await failure).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown", retryable: false });
    await cut;
    expect([runs, await countRows()]).toEqual([1, 1]);
  });

  test("runs a transaction's callback again when retries were asked for", async () => {
    await using db = open();
    let runs = 0;
    const cut = wire.cutAt(isStatement("select 'second'"));
    await db.transaction(
      async (tx) => {
        runs++;
        await tx.query(insert);
        await tx.sql`select 'second'`;
      },
      { retries: 1 },
    );
    await cut;
    expect([runs, await countRows()]).toEqual([2, 1]);
  });

  test("sends nothing that waits behind it in the same session", async () => {
    await using db = open();
    const cut = wire.cutAt(isStatement("select 'first'"));
    const [first, second] = await db.session((session) =>
      Promise.all([failureOf(session.sql`select 'first'`), failureOf(session.query(insert))]),
    );
    await cut;
    expect(first).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    expect(second).toMatchObject({ code: "SESSION_BROKEN", fate: "not-sent" });
    expect(await countRows()).toBe(0);
  });
});

test("a swallowed connection holds up nobody: those who wait get a new one", async () => {
  await using db = open();
  await db.query("select 1");
  wire.holdServer("open");
  using timers = stopTimers();
  const swallowed = failureOf(db.query(insert, { deadlineMs: 100 }));
  const waiting = [db.query("select 2 as n"), db.query("select 3 as n")];
  await until(async () => (await countRows()) === 1);
  const graceMs = 250;
  timers.pass(100 + graceMs);
  expect(await swallowed).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "unknown" });
  const results = await Promise.all(waiting);
  expect(results.map(({ rows }) => rows)).toEqual([[{ n: 2 }], [{ n: 3 }]]);
  expect(db.stats()).toMatchObject({ total: 1, connects: 2, discarded: 1 });
});

describe("a connection given back inside a transaction", () => {
  test.each(["open", "failed"])("is rolled back when the transaction is %s, and kept", async (state) => {
    await using db = open();
    const connection = await db.session(async (session) => {
      await session.sql`begin`;
      await session.query(insert);
      if (state === "failed") await failureOf(session.sql`select 1 / 0`);
      return session.via.connectionId;
    });
    const next = await db.query<{ count: string }>("select count(*) from losses");
    expect(next.rows[0]?.count).toBe("0");
    expect(next.via).toMatchObject({ connectionId: connection, reused: true });
    expect(db.stats().discarded).toBe(0);
    expect(await countRows()).toBe(0);
  });

  test("is rolled back when its last statement was not waited for", async () => {
    await using db = open();
    await db.session(async (session) => {
      void session.sql`begin`;
      void session.query(insert);
    });
    expect((await db.query("select id from losses")).rows).toEqual([]);
    expect(await countRows()).toBe(0);
  });

  test("is destroyed when the ROLLBACK gets no answer", async () => {
    await using db = open();
    await db.session(async (session) => {
      await session.sql`begin`;
      wire.holdServer("open");
    });
    expect((await db.query("select 1")).via.reused).toBe(false);
    expect(db.stats().discarded).toBe(1);
  });
});
