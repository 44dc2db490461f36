import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { startWire } from "../../support/wire.ts";
import { openDirect, until, urlAt } from "../databases.ts";
import { openPaused } from "./paused.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table freshness_pooler (id int)");
});
beforeEach(async () => {
  await direct.query("truncate freshness_pooler");
});
afterAll(async () => {
  await direct.query("drop table freshness_pooler");
  await direct.end();
});

const insert = sql`insert into freshness_pooler values (1)`;
const countRows = async () => Number((await direct.query("select count(*) from freshness_pooler")).rows[0].count);

const missing = findPgBouncer() === undefined;
if (missing) console.warn("*** SKIPPED: connections behind a busy PgBouncer. Install it with: apt-get install pgbouncer ***");

describe.runIf(!missing)("behind a PgBouncer that is too busy to answer for a while", () => {
  let bouncer: PgBouncer;
  beforeAll(async () => {
    bouncer = await startPgBouncer(inject("postgres"), { default_pool_size: "1" });
  });
  afterAll(() => bouncer.stop());

  test.each([
    ["a write", (db: Database) => db.query(insert)],
    ["an idempotent write", (db: Database) => db.query(insert, { idempotent: true })],
    ["a batch", (db: Database) => db.batch([insert])],
    ["a transaction", (db: Database) => db.transaction((tx) => tx.query(insert))],
  ] as const)("no healthy connection is thrown away: %s", async (_, send) => {
    await using way = await startWire(bouncer);
    const { db, connectionId } = await openPaused(way, { target: "pgbouncer" });
    await using _db = db;
    // its one connection to the server is taken
    await using other = await openDirect(urlAt(bouncer));
    await other.query("begin");
    const asked = new Promise<void>((resolve) => {
      let loggedIn = false;
      way.onMessage(({ from, type }) => {
        loggedIn ||= from === "server" && type === "Z";
        if (loggedIn && from === "client" && type === "S") resolve();
      });
    });
    const sent = send(db);
    // the replacement is open, and PgBouncer lets it wait behind the one that asked first
    await asked;
    await other.query("commit");
    await sent;
    expect((await db.query("select 1")).via.connectionId).toBe(connectionId);
    expect(db.stats()).toMatchObject({ probes: 1, discarded: 0, retries: 0 });
    await until(() => way.openConnections() === 1);
    expect(await countRows()).toBe(1);
  });
});
