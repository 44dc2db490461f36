import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, urlAt } from "../databases.ts";
import { stopWallClock } from "../pool/passing-time.ts";

beforeAll(stopWallClock);

const database = "core_user_types";
const role = "core_user_types_reader";

let endpoint: Endpoint;
let wire: Wire;
let lookups: number;

beforeAll(async () => {
  wire = await startWire(inject("postgres"));
  wire.onMessage((message) => {
    if (isLookup(message)) lookups += 1;
  });
  await using direct = await openDirect();
  await direct.query(`create database ${database}`);
  await direct.query(`create role ${role} login password 'reader'`);
  const url = new URL(urlAt());
  url.pathname = database;
  await using own = await openDirect(url.href);
  await own.query(`
    create type mood as enum ('sad', 'happy');
    create type pair as (number int, word text);
    create domain tiny as int;
    create table people (id int, mood mood, moods mood[], pair pair);
    insert into people values (1, 'sad', '{sad}', '(1,a)');
    grant select on people to ${role};
    create schema hidden;
    create function hidden.refuse(oid, oid) returns bool language plpgsql as $$ begin raise 'not this one'; end $$;
    create operator hidden.= (leftarg = oid, rightarg = oid, function = hidden.refuse);
    create table hidden.pg_type (oid oid, typelem oid);
  `);
  endpoint = await startEndpoint({ databaseUrl: `${urlAt(wire).replace(/\/[^/]*$/, "")}/${database}`, port: 0 });
});
afterAll(async () => {
  await endpoint.stop();
  await wire.close();
  await using direct = await openDirect();
  await direct.query(`drop database ${database} with (force)`);
  await direct.query(`drop role ${role}`);
});
beforeEach(() => {
  lookups = 0;
});
afterEach(() => wire.resume());

/** Whether a message asks for types: unnamed, or when it is named. */
const isLookup = ({ from, type, body }: PostgresMessage) => from === "client" && type === "P" && body.includes("typdelim");

const overPool = (options: DatabaseOptions = {}) => openPool({ url: urlAt(wire), database, max: 1, ...options });
const overHttp = (options: DatabaseOptions = {}) => openPool({ database, transport: "http", endpoint: endpoint.url, ...options });

/** A handle that has a connection, and has learned nothing. */
async function warm(open: () => Database): Promise<Database> {
  const db = open();
  await db.sql`select 1`;
  lookups = 0;
  wire.reset();
  return db;
}

/** What each of several calls costs, one after the other. */
async function tripsOf(...calls: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const spent: number[] = [];
  for (const call of calls) {
    wire.reset();
    await call();
    spent.push(wire.roundTrips());
  }
  return spent;
}

const moods = sql`select moods from people`;
const found = [{ moods: ["sad"] }];

describe("what looking types up costs", () => {
  test("one round trip more at the first result that has an array, and none later", async () => {
    await using db = await warm(overPool);
    const ask = () => db.query(moods);
    expect(
      await tripsOf(
        ask,
        ask,
        ask,
        () => db.batch([moods, moods]),
        () => db.query(moods, { readOnly: true }),
      ),
    ).toEqual([2, 1, 1, 1, 1]);
  });

  test("one for a batch with several, and one inside a transaction or a session", async () => {
    const several = [moods, sql`select '{1}'::tiny[] as list`, sql`select array[pair] as pairs from people`];
    await using batches = await warm(overPool);
    expect(
      await tripsOf(
        () => batches.batch(several),
        () => batches.batch(several),
      ),
    ).toEqual([2, 1]);
    await using transactions = await warm(overPool);
    const inside = () => transactions.transaction(async (tx) => expect([await tx.query(moods), await tx.query(moods)]).toHaveLength(2));
    expect(await tripsOf(inside, inside)).toEqual([4, 3]);
    await using sessions = await warm(overPool);
    const held = () => sessions.session(async (session) => [await session.query(moods), await session.query(moods)]);
    expect(await tripsOf(held)).toEqual([3]);
  });

  test("nothing where no value can be an array", async () => {
    await using db = await warm(overPool);
    const none = [
      sql`select mood, pair, id from people`,
      sql`select moods from people where false`,
      sql`select null::mood[] as moods`,
      sql`select '{1,2}'::int[] as numbers, '{a}'::text[] as words, '[1,2)'::int4range as range, '{}'::json as json, '{}' as text`,
    ];
    expect(await tripsOf(...none.map((one) => () => db.query(one)))).toEqual([1, 1, 1, 1]);
    expect(lookups).toBe(0);
  });

  test("nothing where parsers are given by number, or by names of types that are built in", async () => {
    await using direct = await openDirect(`${urlAt().replace(/\/[^/]*$/, "")}/${database}`);
    const { id } = (await direct.query(`select 'mood[]'::regtype::oid::int as id`)).rows[0];
    await using db = await warm(() => overPool({ types: { [id]: (text) => `own ${text}`, "double precision": String, INT8: BigInt } }));
    expect(await db.sql`select moods, 1.5::float8 as float, 7::int8 as big, now() is null as flag from people`).toEqual([
      { moods: "own {sad}", float: "1.5", big: 7n, flag: false },
    ]);
    expect(lookups).toBe(0);
  });

  test("one POST more over HTTP, once", async () => {
    await using db = overHttp();
    const posts: number[] = [];
    for (let time = 0; time < 3; time++) {
      const before = endpoint.requests;
      expect((await db.query(moods)).rows).toEqual(found);
      posts.push(endpoint.requests - before);
    }
    expect(posts).toEqual([2, 1, 1]);
  });

  test("one lookup for all who ask at once", async () => {
    await using db = await warm(() => overPool({ max: 5 }));
    const all = await Promise.all(Array.from({ length: 40 }, () => db.query(moods)));
    expect(all.map(({ rows }) => rows)).toEqual(all.map(() => found));
    expect(lookups).toBe(1);
  });
});

describe("looking types up", () => {
  test("waits for nothing that waits for the connection it holds", async () => {
    await using db = await warm(overPool);
    const asked = db.query(moods);
    // it has the connection when the first has its answer, and a lookup to send
    const inside = db.transaction(async (tx) => (await tx.query(moods)).rows);
    const behind = db.query(moods);
    expect(await Promise.all([asked.then(({ rows }) => rows), inside, behind.then(({ rows }) => rows)])).toEqual([found, found, found]);
    expect(lookups).toBe(2);
  });

  test("heeds no search path", async () => {
    await using db = await warm(() => overPool({ startupOptions: "-c search_path=hidden,pg_catalog,public" }));
    expect((await db.query(moods)).rows).toEqual(found);
  });

  test("is repeated where its connection is lost, for the call itself was done", async () => {
    await using db = await warm(overPool);
    const cut = wire.cutAt(isLookup);
    const { rows } = await db.sql`create table if not exists done_once (n int)`.then(() =>
      db.query(sql`insert into done_once values (1) returning '{sad}'::mood[] as moods`),
    );
    await cut;
    expect(rows).toEqual(found);
    expect(await db.sql`select count(*)::int as count from done_once`).toEqual([{ count: 1 }]);
  });

  test("fails a transaction whose connection is lost at it, which is rolled back", async () => {
    await using db = await warm(overPool);
    const cut = wire.cutAt(isLookup);
    const error = await failureOf(
      db.transaction(async (tx) => {
        await tx.sql`insert into people values (2)`;
        await tx.query(moods);
      }),
    );
    await cut;
    expect(error).toMatchObject({ name: "DecodeError", code: "TYPE_LOOKUP_FAILED", fate: "refused", column: "moods" });
    expect(await db.sql`select id from people where id = 2`).toEqual([]);
  });

  test.each([
    ["its deadline", "DEADLINE_EXCEEDED"],
    ["its signal", "ABORTED"],
  ])("ends with its call, by %s", async (_, code) => {
    await using db = await warm(overPool);
    const ending = new AbortController();
    const stop = wire.onMessage((message) => {
      if (!isLookup(message)) return;
      wire.holdServer();
      if (code === "ABORTED") setImmediate(() => ending.abort());
    });
    const options = code === "ABORTED" ? { signal: ending.signal } : { deadlineMs: 300 };
    expect(await failureOf(db.query(moods, options))).toMatchObject({ name: "CancelledError", code, fate: "unknown" });
    stop();
    wire.resume();
    expect((await db.query(moods)).rows).toEqual(found);
  });

  test("of another call is waited for no longer than the call that waits may last", async () => {
    await using db = await warm(() => overPool({ max: 2 }));
    let isHeld = () => {};
    const held = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    const stop = wire.onMessage((message) => {
      if (!isLookup(message)) return;
      wire.hold("open");
      isHeld();
    });
    const first = db.query(moods);
    await held;
    stop();
    const error = await failureOf(db.query(moods, { deadlineMs: 300 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    wire.resume();
    expect((await first).rows).toEqual(found);
  });

  test("that is refused fails the call, says so, and can be done without", async () => {
    const reader = { user: role, password: "reader" };
    await using direct = await openDirect(`${urlAt().replace(/\/[^/]*$/, "")}/${database}`);
    await direct.query("revoke select on pg_catalog.pg_type from public");
    try {
      for (const open of [overPool, overHttp]) {
        await using db = open(reader);
        const error = await failureOf(db.query(moods));
        expect(error).toMatchObject({ name: "DecodeError", code: "TYPE_LOOKUP_FAILED", fate: "applied", column: "moods", columnIndex: 0 });
        expect(error.cause).toMatchObject({ code: "42501" });
        expect(await failureOf(db.transaction((tx) => tx.query(moods)))).toMatchObject({ code: "TYPE_LOOKUP_FAILED", fate: "refused" });
        const { typeId } = error as unknown as { typeId: number };
        await using told = open({ ...reader, types: { [typeId]: (text) => text } });
        expect((await told.query(moods)).rows).toEqual([{ moods: "{sad}" }]);
      }
    } finally {
      await direct.query("grant select on pg_catalog.pg_type to public");
    }
  });

  test("of a type that is gone meanwhile fails the call", async () => {
    await using db = await warm(() => overPool({ max: 2 }));
    await using direct = await openDirect(`${urlAt().replace(/\/[^/]*$/, "")}/${database}`);
    await direct.query("create type gone as enum ('x')");
    const error = await failureOf(
      db.transaction(
        async (tx) => {
          await tx.sql`select 1`;
          await direct.query("create type later as enum ('x')");
          await tx.sql`select '{x}'::later[] as list`;
        },
        { isolation: "repeatable read" },
      ),
    );
    expect(error).toMatchObject({ code: "TYPE_LOOKUP_FAILED", fate: "refused", column: "list" });
    expect(await db.sql`select '{x}'::later[] as list`).toEqual([{ list: ["x"] }]);
  });

  test("is left to whoever waits for an answer, once a callback is over", async () => {
    await using db = await warm(overPool);
    let floating: Promise<unknown> = Promise.resolve();
    await db.transaction(async (tx) => {
      await tx.sql`select 1`;
      floating = tx.query(moods);
      floating.catch(() => {});
    });
    expect(await failureOf(floating)).toMatchObject({ code: "TYPE_LOOKUP_FAILED" });
    expect((await db.query(moods)).rows).toEqual(found);
    expect(db.stats()).toMatchObject({ discarded: 0 });
  });
});
