import { afterAll, beforeAll, expect, test } from "vitest";
import { sql } from "../../../src/entry/node.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { failureOf, openDirect, openPool, until } from "../databases.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** Makes the server refuse writes as a replica does, or take them again. */
async function turnReadOnly(on: boolean): Promise<void> {
  await using direct = await openDirect(server.url());
  await direct.query("set default_transaction_read_only = off");
  await direct.query(`alter system set default_transaction_read_only = ${on ? "on" : "off"}`);
  await direct.query("select pg_reload_conf()");
  await until(async () => {
    await using fresh = await openDirect(server.url());
    return (await fresh.query("show default_transaction_read_only")).rows[0].default_transaction_read_only === (on ? "on" : "off");
  });
}

test("a connection to a server that has become a replica is destroyed, and the next one looks anew", async () => {
  await using db = openPool({ url: server.url(), max: 1 });
  await db.query("create table failover (id int)");
  await turnReadOnly(true);
  await until(async () => (await db.query<{ on: string }>("show default_transaction_read_only")).rows[0] !== undefined);
  const { connectionId } = (await db.query("select 1")).via;
  expect(await failureOf(db.query("insert into failover values (1)"))).toMatchObject({ code: "25006", fate: "refused", retryable: false });
  expect(db.stats().discarded).toBe(1);
  expect((await db.query("select 1")).via.connectionId).not.toBe(connectionId);
  expect(await failureOf(db.batch([sql`insert into failover values (2)`]))).toMatchObject({ code: "25006", fate: "refused" });
  expect(await failureOf(db.transaction((tx) => tx.sql`insert into failover values (3)`))).toMatchObject({ code: "25006" });
  expect(db.stats().discarded).toBe(3);
  await turnReadOnly(false);
  expect((await db.query("insert into failover values (4)")).rowCount).toBe(1);
});

test("a write that the caller forbade keeps its connection", async () => {
  await using db = openPool({ url: server.url(), max: 1 });
  const write = sql`create table forbidden (id int)`;
  expect(await failureOf(db.query(write, { readOnly: true }))).toMatchObject({ code: "25006", fate: "refused" });
  expect(await failureOf(db.batch([write], { readOnly: true }))).toMatchObject({ code: "25006" });
  expect(await failureOf(db.transaction((tx) => tx.query(write), { readOnly: true }))).toMatchObject({ code: "25006" });
  await db.session(async (session) => {
    expect(await failureOf(session.batch([write], { readOnly: true }))).toMatchObject({ code: "25006" });
    expect(await failureOf(session.transaction((tx) => tx.query(write), { readOnly: true }))).toMatchObject({ code: "25006" });
  });
  expect((await db.query("select 1")).via.reused).toBe(true);
  expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
});
