import type { PoolClient } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { WarmPool } from "../../../src/entry/pool.ts";
import { type Network, startNetwork } from "../../lambda/network.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { openDirect, openPool, until, urlAt } from "../databases.ts";
import { pause, standStillUntilEnded } from "./passing-time.ts";

const insert = sql`insert into freshness_deaths values (1)`;

/** A call, and the rows it is to have written: no more and no fewer. */
const calls: readonly (readonly [string, (db: Database) => Promise<unknown>, number])[] = [
  ["a write", (db) => db.query(insert), 1],
  ["a readOnly query", (db) => db.query("select 1", [], { readOnly: true }), 0],
  ["an idempotent query", (db) => db.query("select 1", [], { idempotent: true }), 0],
  ["a batch", (db) => db.batch([insert, insert]), 2],
  ["a readOnly batch", (db) => db.batch([sql`select 1`], { readOnly: true }), 0],
  ["a transaction", (db) => db.transaction((tx) => Promise.all([tx.query(insert), tx.query(insert)])), 2],
  ["a session", (db) => db.session((session) => session.query(insert)), 1],
  ["a script", (db) => db.script("insert into freshness_deaths values (1)"), 1],
];

describe("a connection that died in a pause is replaced, and nobody notices:", () => {
  let direct: Awaited<ReturnType<typeof openDirect>>;
  let network: Network;
  let db: Database;
  let pid: number;

  beforeAll(async () => {
    direct = await openDirect();
    await direct.query("create table freshness_deaths (id int)");
  });
  beforeEach(async () => {
    await direct.query("truncate freshness_deaths");
    network = await startNetwork(inject("postgres"));
    db = openPool({ url: urlAt(network), max: 1 });
    pid = (await db.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid ?? 0;
  });
  afterEach(async () => {
    await db.close();
    await network.close();
  });
  afterAll(async () => {
    await direct.query("drop table freshness_deaths");
    await direct.end();
  });

  const countRows = async () => Number((await direct.query("select count(*) from freshness_deaths")).rows[0].count);
  const kill = () => direct.query("select pg_terminate_backend($1, 5000)", [pid]);
  const lay = async (kind: "fin" | "rst" | "rst-on-write" | "withhold") => void network.lay({ kind });

  const deaths = {
    "the server ended it": kill,
    "the server ended it, which is told after the next write": () => lay("withhold").then(kill),
    "a FIN came": () => lay("fin"),
    "a reset came": () => lay("rst"),
    "the next write is reset": () => lay("rst-on-write"),
  };
  const cases = Object.entries(deaths).flatMap(([how, strike]) => calls.map(([call, send, rows]) => ({ how, strike, call, send, rows })));

  test.each(cases)("$how, then $call", async ({ strike, send, rows }) => {
    pause();
    await strike();
    await send(db);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1, retries: 0, total: 1 });
    expect(await countRows()).toBe(rows);
    expect(network.connections()).toBe(2);
  });

  test.each(["promise", "callback"])("the next write is reset, then a client by pg's own connect with a %s", async (style) => {
    await using pool = Object.assign(new WarmPool({ url: urlAt(network), max: 1 }), { [Symbol.asyncDispose]: () => pool.end() });
    await pool.query("select 1");
    pause();
    await lay("rst-on-write");
    const granted = new Promise<PoolClient>((resolve, reject) => {
      if (style === "promise") pool.connect().then(resolve, reject);
      else pool.connect((error, client) => (client === undefined ? reject(error) : resolve(client)));
    });
    const client = await granted;
    expect((await client.query("insert into freshness_deaths values (1)")).rowCount).toBe(1);
    client.release();
    expect(pool.state).toMatchObject({ connects: 2, discarded: 1, probes: 1 });
    expect([await countRows(), pool.totalCount]).toEqual([1, 1]);
  });

  test("the next write is reset, and it is replaced at once, not when its silence has lasted", async () => {
    pause();
    await lay("rst-on-write");
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      await db.query(insert);
    } finally {
      vi.useRealTimers();
    }
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1, probes: 1 });
  });

  test("the server ended it while this process stood still, and a look is enough", async () => {
    await using near = openPool({ max: 1 });
    const { rows } = await near.query<{ pid: number }>("select pg_backend_pid() as pid");
    pause();
    const { pid: backend = 0 } = rows[0] ?? {};
    const killed = direct.query("select pg_terminate_backend($1)", [backend]);
    standStillUntilEnded(backend);
    await near.query(insert);
    await killed;
    expect(near.stats()).toMatchObject({ probes: 0, connects: 2, discarded: 1, retries: 0 });
    expect(await countRows()).toBe(1);
  });
});

test("a server that crashed and came back in a pause is connected to anew", async () => {
  const server: PostgresServer = await startPostgres();
  try {
    await using db = openPool({ url: server.url(), max: 1 });
    await db.query("create table freshness_restarted (id int)");
    const old = (await db.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid;
    const bystander = await openDirect(server.url());
    const { rows } = await bystander.query<{ pid: number }>("select pg_backend_pid() as pid");
    pause();
    // Postgres ends every session and starts again when one of its processes is killed
    process.kill(rows[0]?.pid ?? 0, "SIGKILL");
    await until(async () => {
      try {
        await using fresh = await openDirect(server.url());
        return (await fresh.query("select 1 from pg_stat_activity where pid = $1", [old])).rowCount === 0;
      } catch {
        return false;
      }
    });
    await db.query("insert into freshness_restarted values (1)");
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1, retries: 0, total: 1 });
    expect((await db.query("select id from freshness_restarted")).rows).toEqual([{ id: 1 }]);
  } finally {
    await server.stop();
  }
});
