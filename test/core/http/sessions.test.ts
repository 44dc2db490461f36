import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { type Database, sql } from "../../../src/entry/node.ts";
import { isCommandComplete, isStatement } from "../../support/postgres-messages.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { failureAfter } from "../passing-deadline.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
/** Between the endpoint and Postgres. */
let inner: Wire;
let endpoint: Endpoint;
/** Between the database and the endpoint. */
let outer: Wire;
let db: Database;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table sessions (id int)");
  inner = await startWire(inject("postgres"));
  endpoint = await startEndpoint({ databaseUrl: urlAt(inner), port: 0 });
  outer = await startWire({ host: "127.0.0.1", port: endpoint.port });
  db = openPool({ transport: "http", endpoint: `http://127.0.0.1:${outer.port}`, applicationName: "core-sessions" });
});
beforeEach(async () => {
  await direct.query("truncate sessions");
});
afterAll(async () => {
  await db.close();
  await outer.close();
  await endpoint.stop();
  await inner.close();
  await direct.query("drop table sessions");
  await direct.end();
});

const insert = sql`insert into sessions values (1)`;
const countRows = async () => Number((await direct.query("select count(*) from sessions")).rows[0].count);
const sleeps = async (text: string) =>
  (await direct.query("select 1 from pg_stat_activity where query like $1 and wait_event = 'PgSleep'", [`%${text}%`])).rowCount === 1;
const countActive = async (text: string) =>
  (await direct.query("select 1 from pg_stat_activity where query like $1 and state <> 'idle' and pid <> pg_backend_pid()", [`%${text}%`]))
    .rowCount;

describe("the endpoint's link to Postgres, cut", () => {
  test("after the commit of a query leaves its fate unknown, and its row is there", async () => {
    let inserted = false;
    const cut = inner.cutAt(({ from, type, body }) => {
      if (from === "server" && type === "C" && body.includes("INSERT")) inserted = true;
      return inserted && type === "Z";
    });
    expect(await failureOf(db.query(insert))).toMatchObject({ fate: "unknown", retryable: false });
    await cut;
    expect(await countRows()).toBe(1);
  });

  test("after the COMMIT of a batch leaves its fate unknown, and its rows are there", async () => {
    const cut = inner.cutAt(isCommandComplete("COMMIT"));
    expect(await failureOf(db.batch([insert, insert]))).toMatchObject({ fate: "unknown", retryable: false });
    await cut;
    expect(await countRows()).toBe(2);
  });

  test("after the COMMIT of a transaction leaves its fate unknown, and its row is there", async () => {
    const cut = inner.cutAt(isCommandComplete("COMMIT"));
    const error = await failureOf(db.transaction((tx) => tx.query(insert), { retries: 3 }));
    await cut;
    expect(error).toMatchObject({ fate: "unknown", retryable: false });
    expect(await countRows()).toBe(1);
  });

  test("before the COMMIT of a transaction refuses it", async () => {
    const cut = inner.cutAt(isStatement("select 'cut here'"));
    const failure = failureOf(
      db.transaction(async (tx) => {
        await tx.query(insert);
        await tx.sql`select 'cut here'`;
      }),
    );
    expect(await failure).toMatchObject({ fate: "refused" });
    await cut;
    await until(async () => (await countActive("sessions")) === 0);
    expect(await countRows()).toBe(0);
  });
});

describe("a transaction over WebSocket", () => {
  test("is refused when the WebSocket is lost before its COMMIT", async () => {
    const failure = failureOf(
      db.transaction(async (tx) => {
        await tx.query(insert);
        outer.cut();
        await tx.query(insert);
      }),
    );
    expect(await failure).toMatchObject({ code: "CONNECTION_LOST", fate: "refused" });
    await until(async () => (await countActive("sessions")) === 0);
    expect(await countRows()).toBe(0);
  });

  test("is cancelled at the server when its deadline passes", async () => {
    const late = () => db.transaction((tx) => tx.sql`select pg_sleep(29)`, { deadlineMs: 1_000 });
    expect(await failureAfter(late, { ms: 1_000, once: () => sleeps("pg_sleep(29)") })).toMatchObject({
      name: "CancelledError",
      code: "DEADLINE_EXCEEDED",
      fate: "refused",
    });
    await until(async () => (await countActive("pg_sleep(29)")) === 0);
  });

  test("is not sent when the endpoint does not answer in time", async () => {
    outer.hold();
    try {
      const error = await failureOf(db.transaction((tx) => tx.query(insert), { deadlineMs: 300 }));
      expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
      await using hasty = openPool({ transport: "http", endpoint: `http://127.0.0.1:${outer.port}`, connectTimeoutMs: 40 });
      expect(await failureOf(hasty.transaction((tx) => tx.query(insert)))).toMatchObject({ code: "CONNECT_TIMEOUT", fate: "not-sent" });
    } finally {
      outer.resume();
    }
    expect(await countRows()).toBe(0);
  });

  test("is not sent where nobody listens, and the password is refused before anything runs", async () => {
    await using nowhere = openPool({ transport: "http", endpoint: "http://127.0.0.1:1" });
    expect(await failureOf(nowhere.transaction((tx) => tx.query(insert)))).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent" });
    await using wrong = openPool({ transport: "http", endpoint: endpoint.url, password: "wrong" });
    expect(await failureOf(wrong.transaction((tx) => tx.query(insert)))).toMatchObject({ code: "28P01", fate: "not-sent" });
    expect(await countRows()).toBe(0);
  });

  test("is sent with the password a function gives next when the first is refused, and its callback runs once", async () => {
    const { password } = new URL(inject("postgres").url);
    const given = ["rotated away", decodeURIComponent(password)];
    await using rotated = openPool({ transport: "http", endpoint: endpoint.url, password: () => given.shift() ?? "" });
    let callbacks = 0;
    await rotated.transaction((tx) => {
      callbacks++;
      return tx.query(insert);
    });
    expect([given, callbacks, await countRows(), rotated.stats().connects]).toEqual([[], 1, 1, 1]);
  });

  test("is not sent where no password a function gives is taken, or the link is cut before the login is over", async () => {
    const places = { transport: "http", endpoint: `http://127.0.0.1:${outer.port}` } as const;
    await using wrong = openPool({ ...places, password: () => "wrong" });
    expect(await failureOf(wrong.transaction((tx) => tx.query(insert)))).toMatchObject({ code: "28P01", fate: "not-sent" });
    const { password } = new URL(inject("postgres").url);
    await using right = openPool({ ...places, password: () => decodeURIComponent(password) });
    const cut = new Promise<void>((resolve) => {
      const stopListening = inner.onMessage(({ type }) => {
        if (type !== "startup") return;
        stopListening();
        outer.cut();
        resolve();
      });
    });
    await right.transaction((tx) => tx.query(insert));
    await cut;
    expect([await countRows(), right.stats().connects]).toEqual([1, 1]);
  });

  test("leaves no session behind", async () => {
    await db.transaction((tx) => tx.query(insert));
    await failureOf(db.transaction((tx) => tx.sql`select 1 / 0`));
    await db.session((session) => session.sql`begin`);
    const busy = "select 1 from pg_stat_activity where application_name = 'core-sessions' and state <> 'idle'";
    await until(async () => (await direct.query(busy)).rowCount === 0);
    expect(await countRows()).toBe(1);
  });
});

test("a POST whose deadline passes is cancelled at the server", async () => {
  const late = () => db.query("select pg_sleep(28)", [], { deadlineMs: 200 });
  const error = await failureAfter(late, { ms: 200, once: () => sleeps("pg_sleep(28)") });
  expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "unknown" });
  await until(async () => (await countActive("pg_sleep(28)")) === 0);
});

test("statementTimeoutMs bounds a POST and a transaction alike", async () => {
  await using bounded = openPool({ transport: "http", endpoint: endpoint.url, statementTimeoutMs: 100 });
  expect(await failureOf(bounded.query("select pg_sleep(5)"))).toMatchObject({ code: "57014", fate: "refused" });
  expect(await failureOf(bounded.transaction((tx) => tx.sql`select pg_sleep(5)`))).toMatchObject({ fate: "refused" });
});
