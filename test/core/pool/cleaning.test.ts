import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import { type Database, type HeldPool, sql } from "../../../src/entry/node.ts";
import { WarmPool } from "../../../src/transports/pool/warm-pool.ts";
import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { LOOK, seen, traces } from "../../support/session-traces.ts";
import { stopTimers } from "../../support/stopped-timers.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { eventsOf, failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { pause, stopWallClock } from "./passing-time.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const look = async (db: Database) => seen((await db.query(LOOK)).rows);
const isReset = ({ from, type, body }: PostgresMessage) => from === "client" && type === "Q" && body.includes("RESET ALL");

/** Keeps this process from doing anything until the server has answered a reset, whose answer is there then, and not yet seen. */
function standStillUntilReset(applicationName: string): void {
  const script = `
    import { Client } from "pg";
    const client = new Client(process.argv[1]);
    await client.connect();
    const ask = "select 1 from pg_stat_activity where application_name = $1 and state = 'idle' and query like 'RESET%'";
    while ((await client.query(ask, [process.argv[2]])).rowCount === 0);
    await client.end();`;
  execFileSync(process.execPath, ["--input-type=module", "-e", script, urlAt(), applicationName], { timeout: 20_000 });
}

/** Lets a reset's answer, or with `all` the reset itself, not pass; resolves when that has happened. */
const holdReset = (wire: Wire, what: "answer" | "all") =>
  new Promise<void>((resolve) => {
    const stop = wire.onMessage((message) => {
      if (!isReset(message)) return;
      stop();
      if (what === "all") wire.hold("open");
      else wire.holdServer("open");
      resolve();
    });
  });

/** A pool of one connection, what a new one looks like, and what comes after `use`, on the same connection. */
async function lookAfter(use: (db: Database) => Promise<unknown>) {
  await using db = openPool({ max: 1 });
  const before = await look(db);
  await use(db).catch(() => {});
  const after = await look(db);
  expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  expect(after).toEqual(before);
}

describe("nobody finds what was set", () => {
  test.each(traces)("in a session: %s", async (trace) => {
    const text = trace.replaceAll("N", "7");
    await lookAfter((db) => db.session((session) => session.query(text)));
  });

  test.each(traces.filter((trace) => !/discard all|nextval/.test(trace) && !trace.startsWith("do ")))(
    "in a transaction or batch, whatever becomes of it: %s",
    async (trace) => {
      const text = trace.replaceAll("N", "7");
      await lookAfter((db) => db.transaction((tx) => tx.query(text)));
      await lookAfter((db) => db.batch([sql`${sql.raw(text)}`, sql`select 1`]));
      await lookAfter((db) =>
        db.transaction(async (tx) => {
          await tx.query(text);
          throw new Error("own");
        }),
      );
      await lookAfter((db) => db.batch([sql`${sql.raw(text)}`, sql`select 1 / 0`]));
    },
  );

  test("in a script", () =>
    lookAfter((db) => db.script("set search_path = pg_catalog; select pg_advisory_lock(7); create temp table t ()")));

  test("in a session that left its transaction open, failed", () =>
    lookAfter((db) =>
      db.session(async (session) => {
        await session.query("set work_mem = '321kB'");
        await session.query("begin");
        await session.query("select 1 / 0");
      }),
    ));

  test("in a session whose last statement nobody awaits", () =>
    lookAfter((db) =>
      db.session(async (session) => {
        void session.query("set work_mem = '321kB'");
      }),
    ));

  test("of a sequence", async () => {
    await using db = openPool({ max: 1 });
    await db.session(async (session) => {
      await session.query("create temporary sequence numbers");
      await session.query("select nextval('numbers')");
    });
    expect(await failureOf(db.query("select lastval()"))).toMatchObject({ code: "55000" });
    await using _ = await openDirect().then(async (direct) => {
      await direct.query("create sequence cleaning_numbers");
      return { [Symbol.asyncDispose]: () => direct.query("drop sequence cleaning_numbers").then(() => direct.end()) };
    });
    await db.session((session) => session.query("select nextval('cleaning_numbers')"));
    expect(await failureOf(db.query("select lastval()"))).toMatchObject({ code: "55000" });
  });

  test("that the settings of a handle say stays", async () => {
    await using db = openPool({ max: 1, startupOptions: "-c work_mem=123kB -c role=pg_monitor", applicationName: "stays" });
    const ask = "select current_user::text || current_setting('work_mem') || current_setting('application_name') as kept";
    const settings = ["set work_mem = '321kB'", "reset role", "set role pg_read_all_stats", "set session authorization pg_monitor"];
    for (const text of settings) {
      await db.session((session) => session.query(text));
      expect((await db.query(ask)).rows).toEqual([{ kept: "pg_monitor123kBstays" }]);
    }
  });
});

describe("cleaning", () => {
  test("is one write behind the answer, and none where nothing was sent or set", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 1 });
    await db.query("select 1");
    const resets: PostgresMessage[] = [];
    wire.onMessage((message) => void (isReset(message) && resets.push(message)));
    wire.reset();
    await db.session(async () => {});
    await db.transaction((tx) => tx.query("set local work_mem = '321kB'"));
    await db.batch([sql`set local work_mem = '321kB'`]);
    await db.query("select 1");
    expect([wire.roundTrips(), resets.length]).toEqual([4, 0]);
    wire.reset();
    await db.session(async (session) => {
      await session.query("begin");
      await session.query("set work_mem = '321kB'");
    });
    await until(() => db.stats().idle === 1);
    expect([wire.roundTrips(), resets.length]).toEqual([3, 1]);
  });

  test("keeps a statement that a driver has by name", async () => {
    let pool: WarmPool | undefined;
    await using db = openPool({
      max: 1,
      onPool(shown) {
        pool = shown as WarmPool;
      },
    });
    const ask = { name: "kept", text: "select 1", rows: 10 };
    await db.query("select 2");
    await pool?.query(ask);
    await db.session((session) => session.query("prepare gone as select 1"));
    const { rows } = (await pool?.query("select name from pg_prepared_statements")) ?? {};
    expect(rows).toEqual([{ name: "kept" }]);
    expect((await pool?.query(ask))?.rowCount).toBe(1);
  });

  test("holds the slot, and lets whoever waits in behind it", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 1 });
    await db.query("select 1");
    const told: string[] = [];
    const held = holdReset(wire, "answer");
    await db.session((session) => session.query("set work_mem = '321kB'"));
    await held;
    const next = db.query("show work_mem").then(({ rows }) => told.push(String(rows[0]?.work_mem)));
    expect(db.stats()).toMatchObject({ total: 1, idle: 0, waiting: 1 });
    wire.resume();
    await next;
    expect(told).toEqual(["4MB"]);
    expect(db.stats()).toMatchObject({ connects: 1 });
  });

  test("that is cut off destroys the connection", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 1 });
    const discards = eventsOf(db, "discard");
    const { via } = await db.query("select 1");
    const cut = wire.cutAt(isReset);
    await db.session((session) => session.query("set work_mem = '321kB'"));
    expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
    await cut;
    expect(discards).toMatchObject([{ connectionId: via.connectionId }]);
    expect(db.stats()).toMatchObject({ connects: 2 });
  });

  test("that the server refuses, or answers as something else, destroys the connection", async () => {
    for (const answer of [async () => ({ command: "RESET", rows: [] }), async () => [], () => Promise.reject(new Error("refused"))]) {
      await using db = openPool({
        max: 1,
        onPool: (pool) =>
          void (pool as WarmPool).once("acquire", (client) => {
            held = client as unknown as typeof held;
          }),
      });
      let held: { query: (...given: readonly unknown[]) => unknown } | undefined;
      await db.query("select 1");
      await db.session(async (session) => {
        await session.query("set work_mem = '321kB'");
        if (held === undefined) throw new Error("No connection was shown.");
        const { query } = held;
        held.query = (...given) => (typeof given[0] === "string" ? answer() : Reflect.apply(query, held, given));
      });
      expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
      expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
    }
  });

  test("that is not answered within a second destroys the connection", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 1 });
    await db.query("select 1");
    using timers = stopTimers();
    const held = holdReset(wire, "all");
    await db.session((session) => session.query("set work_mem = '321kB'"));
    await held;
    const next = db.query("show work_mem");
    timers.pass(999);
    expect(db.stats()).toMatchObject({ connects: 1, waiting: 1 });
    timers.pass(1);
    expect((await next).rows).toEqual([{ work_mem: "4MB" }]);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("that a freeze came between is told by the wall clock: what was answered is used, what was not is replaced", async () => {
    stopWallClock();
    using _ = stopTimers();
    await using near = openPool({ max: 1, applicationName: "frozen while cleaning" });
    await near.session((session) => session.query("set work_mem = '321kB'"));
    standStillUntilReset("frozen while cleaning");
    pause();
    expect((await near.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
    expect(near.stats()).toMatchObject({ connects: 1 });
    await using wire = await startWire(inject("postgres"));
    await using db = openPool({ url: urlAt(wire), max: 1 });
    await db.query("select 1");
    const held = holdReset(wire, "all");
    await db.session((session) => session.query("set work_mem = '321kB'"));
    await held;
    pause();
    expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test.each(["release", "close"] as const)("is waited for by %s, for no longer than it may take", async (end) => {
    await using wire = await startWire(inject("postgres"));
    await using direct = await openDirect();
    const applicationName = `cleaning ${end}`;
    const backends = async () =>
      (await direct.query("select 1 from pg_stat_activity where application_name = $1", [applicationName])).rowCount ?? 0;
    const db = openPool({ url: urlAt(wire), max: 1, applicationName });
    await db.session((session) => session.query("select 1"));
    await db[end]();
    expect(db.stats().total).toBe(0);
    await until(async () => (await backends()) === 0);
    const silent = openPool({ url: urlAt(wire), max: 1, applicationName });
    await silent.query("select 1");
    void holdReset(wire, "all");
    await silent.session((session) => session.query("select 1"));
    await silent[end]();
    expect(silent.stats().total).toBe(0);
    await silent.close();
  });
});

describe("what made a connection ready", () => {
  const openReadying = (onConnect: (client: WarmPool) => unknown) =>
    openPool({ max: 1, onPool: (pool: HeldPool) => void Object.assign((pool as WarmPool).options, { onConnect }) });

  test("by onConnect runs again behind the reset, before anybody has it", async () => {
    await using db = openReadying((client) => client.query("set work_mem = '100kB'"));
    await db.session((session) => session.query("set work_mem = '321kB'"));
    expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "100kB" }]);
    expect(db.stats()).toMatchObject({ connects: 1 });
  });

  test.each([
    ["fails", () => Promise.reject(new Error("own"))],
    ["hangs", () => new Promise(() => {})],
  ])("by an onConnect that %s the second time ends the connection", async (_, again) => {
    let times = 0;
    await using db = openReadying(() => (++times === 2 ? again() : undefined));
    await db.session((session) => session.query("set work_mem = '321kB'"));
    expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test("by a listener cannot be done again: the connection is ended by a goodbye", async () => {
    await using wire = await startWire(inject("postgres"));
    const said: string[] = [];
    wire.onMessage(({ from, type }) => void (from === "client" && said.push(type)));
    await using db = openPool({
      url: urlAt(wire),
      max: 1,
      onPool: (pool) => (pool as WarmPool).on("connect", (client) => void client.query("set work_mem = '100kB'")),
    });
    const discards = eventsOf(db, "discard");
    const { via } = await db.query("select 1");
    await db.session((session) => session.query("select 1"));
    expect((await db.query("show work_mem")).rows).toEqual([{ work_mem: "100kB" }]);
    expect(said).toContain("X");
    expect(discards).toMatchObject([{ connectionId: via.connectionId, reason: "state" }]);
    expect(db.stats()).toMatchObject({ connects: 2 });
  });
});

test("behind a pooler that shares its backends nothing is sent behind a session, and nothing that needs one in it", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), max: 1, target: "pgbouncer" });
  const sent: string[] = [];
  wire.onMessage(({ from, type, body }) => void (from === "client" && type === "Q" && sent.push(String(body))));
  await db.session((session) => session.query("select 1"));
  await db.script("select 1");
  const needs = { name: "UsageError", code: "SESSION_STATE" };
  expect(await failureOf(db.session((session) => session.query("set work_mem = '321kB'")))).toMatchObject(needs);
  expect(await failureOf(db.script("select 1; select pg_advisory_lock(7)"))).toMatchObject({ ...needs, fate: "not-sent" });
  await using near = openPool({ max: 1, target: "pgbouncer", directUrl: urlAt() });
  await near.script("set work_mem = '321kB'");
  expect((await near.query("show work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
  await db.query("select 1");
  expect(sent).toEqual(["select 1\0"]);
});

test("WarmPool's own query and connect mean what pg's mean: nothing is refused, and nothing reset", async () => {
  const pool = new WarmPool({ connectionString: urlAt(), max: 1 });
  await pool.query("set work_mem = '321kB'");
  const client = await pool.connect();
  await client.query("select pg_advisory_lock(7)");
  client.release();
  const { rows } = await pool.query("select current_setting('work_mem') as kept, pg_advisory_unlock(7) as unlocked");
  expect(rows).toEqual([{ kept: "321kB", unlocked: true }]);
  await pool.end();
});
