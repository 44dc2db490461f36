import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import Cursor from "pg-cursor";
import { describe, expect, test } from "vitest";
import { openDirect, until } from "../databases.ts";
import { handles, pieces, pools, rejection, told } from "./pools.ts";

describe.each(handles)("%s", (kind, make) => {
  const own = kind !== "pg.Pool";

  test("works without any options but where the server is, and changes none of them", async () => {
    const options = { ...pieces(), max: 3 };
    const given = structuredClone(options);
    const pool = make(options);
    expect((await pool.query("select $1::text as name", ["a"])).rows).toEqual([{ name: "a" }]);
    expect(options).toEqual(given);
    await pool.end();
  });

  test("is told by the name of its class, as by libraries that do not ask what it extends; a class of one's own has its own", async () => {
    const pool = make();
    class Own extends (pool.constructor as typeof pg.Pool) {}
    expect([pool.constructor.name, Own.name]).toEqual(["BoundPool", "Own"]);
    await pool.end();
  });

  test("answers by promise, by callback, and by neither too early", async () => {
    const pool = make({ max: 2 });
    const byText = await told<pg.QueryResult>((done) => pool.query("select 1 as n", done as never));
    expect([byText.error ?? undefined, byText.value.rows, byText.returned]).toEqual([undefined, [{ n: 1 }], undefined]);
    const byValues = await told<pg.QueryResult>((done) => pool.query("select $1::int as n", [2], done as never));
    expect([byValues.value.rows, byValues.returned]).toEqual([[{ n: 2 }], undefined]);
    const client = await told<pg.PoolClient>((done) => pool.connect(done as never));
    expect([client.error, client.returned]).toEqual([undefined, undefined]);
    client.value.release();
    let called = false;
    const again = told<pg.PoolClient>((done) =>
      pool.connect((error, one) => {
        called = true;
        done(error, one as pg.PoolClient);
      }),
    );
    expect(called).toBe(false);
    (await again).value.release();
    const ended = await told((done) => pool.end(done as never));
    expect([ended.error, ended.returned]).toEqual([undefined, undefined]);
  });

  test("counts its connections and who waits", async () => {
    const pool = make({ max: 2 });
    const counts = () => [pool.totalCount, pool.idleCount, pool.waitingCount, pool.expiredCount];
    expect(counts()).toEqual([0, 0, 0, 0]);
    const opening = pool.connect();
    expect(counts()).toEqual([1, 0, 0, 0]);
    const first = await opening;
    const second = await pool.connect();
    const waiting = [pool.connect(), pool.query("select 1")];
    expect(counts()).toEqual([2, 0, 2, 0]);
    first.release();
    const third = (await waiting[0]) as pg.PoolClient;
    expect(third).toBe(first);
    third.release();
    await waiting[1];
    second.release();
    expect(counts()).toEqual([2, 2, 0, 0]);
    await pool.end();
    expect(counts()).toEqual([0, 0, 0, 0]);
    expect([pool.ending, pool.ended]).toEqual([true, true]);
  });

  test("serves in the order of asking, never more than max at once", async () => {
    const pool = make({ max: 2 });
    // both are open, so that none of them is opened last
    for (const client of await Promise.all([pool.connect(), pool.connect()])) client.release();
    const order: number[] = [];
    let held = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const client = await pool.connect();
        order.push(n);
        most = Math.max(most, ++held);
        await client.query("select 1");
        held--;
        client.release();
      }),
    );
    expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect([most, pool.totalCount]).toEqual([2, 2]);
    await pool.end();
  });

  test("tells of connections with their client, in order, before whoever asked", async () => {
    const pool = make({ max: 1 });
    const seen: unknown[] = [];
    for (const event of ["connect", "acquire", "remove"] as const) pool.on(event, (client) => seen.push([event, client]));
    pool.on("release", (error, client) => seen.push(["release", error ?? undefined, client]));
    const client = await pool.connect();
    expect(seen).toEqual([
      ["connect", client],
      ["acquire", client],
    ]);
    seen.length = 0;
    client.release();
    expect(seen).toEqual([["release", undefined, client]]);
    seen.length = 0;
    await pool.query("select 1");
    expect(seen).toEqual([
      ["acquire", client],
      ["release", undefined, client],
    ]);
    seen.length = 0;
    await pool.end();
    await until(() => seen.length > 0);
    expect(seen).toEqual([["remove", client]]);
  });

  test("tells of every checkout, by connect and by query", async () => {
    const pool = make({ max: 10 });
    const counts = { acquire: 0, release: 0 };
    pool.on("acquire", () => counts.acquire++);
    pool.on("release", () => counts.release++);
    await Promise.all([
      ...Array.from({ length: 10 }, async () => (await pool.connect()).release()),
      ...Array.from({ length: 10 }, (_, n) => pool.query(`select now(), ${n}`)),
    ]);
    expect(counts).toEqual({ acquire: 20, release: 20 });
    await pool.end();
  });

  test.each([
    ["an error", new Error("problem")],
    ["true", true],
  ])("ends a connection that is released with %s, and says so", async (_, reason) => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const { processID } = client as unknown as { processID: number };
    const released = once(pool, "release");
    const removed = once(pool, "remove");
    client.release(reason);
    expect(await released).toEqual([reason, client]);
    expect(await removed).toEqual([client]);
    const next = await pool.connect();
    expect((next as unknown as { processID: number }).processID).not.toBe(processID);
    next.release();
    await pool.end();
  });

  test("takes a client back once, in pg's words ever after", async () => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    client.release();
    const words = "Release called on client which has already been released to the pool.";
    expect(() => client.release()).toThrow(words);
    expect(() => client.release()).toThrow(words);
    const byCallback = await new Promise<() => void>((resolve) => pool.connect((_error, _client, done) => resolve(done)));
    byCallback();
    expect(byCallback).toThrow(words);
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("refuses everything after end, by promise and by callback, in pg's words", async () => {
    const pool = make();
    await pool.query("select 1");
    await pool.end();
    const over = "Cannot use a pool after calling end on the pool";
    for (const promise of [pool.connect(), pool.query("select 1"), pool.query("select $1::int", [1])]) {
      expect(await rejection(promise)).toMatchObject({
        message: over,
        name: "Error",
        ...(own && { fate: "not-sent", retryable: false, code: "CLOSED" }),
      });
    }
    expect(await rejection(pool.end())).toMatchObject({ message: "Called end on pool more than once" });
    expect((await told((done) => pool.query("select 1", done as never))).error).toMatchObject({ message: over });
    const refused = await new Promise<unknown[]>((resolve) => pool.connect((...args) => resolve(args)));
    expect(refused.slice(0, 2)).toMatchObject(refused.length === 1 ? [{ message: over }] : [{ message: over }, undefined]);
    expect((await told((done) => pool.end(done as never))).error).toMatchObject({ message: "Called end on pool more than once" });
  });

  test("says that it is ending at once, and has ended when the last client is back", async () => {
    const pool = make({ max: 2 });
    const client = await pool.connect();
    await pool.query("select 1");
    let ended = false;
    const ending = pool.end().then(() => {
      ended = true;
    });
    expect([pool.ending, pool.ended]).toEqual([true, false]);
    expect((await client.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    expect(ended).toBe(false);
    client.release();
    await ending;
    expect([pool.ended, pool.totalCount]).toEqual([true, 0]);
  });

  test("ends without having been used, and while it connects", async () => {
    await make().end();
    const pool = make();
    const connecting = pool.connect();
    const ending = pool.end();
    const client = await connecting;
    client.release();
    await ending;
    expect(pool.totalCount).toBe(0);
  });

  test("takes queries of every kind that pg takes", async () => {
    const pool = make({ max: 1 });
    expect((await pool.query({ text: "select $1::int as n", values: [1], rowMode: "array" })).rows).toEqual([[1]]);
    expect((await pool.query({ name: "mine", text: "select $1::int as n", values: [2] })).rows).toEqual([{ n: 2 }]);
    const submitted = new pg.Query("select $1::int as n", [3] as never) as unknown as pg.Submittable;
    const { value } = await told<pg.QueryResult>((done) => (pool.query as (...args: unknown[]) => unknown)(submitted, done));
    expect(value.rows).toEqual([{ n: 3 }]);
    expect(await rejection(pool.query(null as never))).toMatchObject({ name: "TypeError" });
    const { error } = await told((done) => (pool.query as (...args: unknown[]) => unknown)(done));
    expect(error).toMatchObject({ message: "Passing a function as the first parameter to pool.query is not supported" });
    expect((await pool.query("select 4 as n")).rows).toEqual([{ n: 4 }]);
    await pool.end();
  });

  test("lends a client to a cursor", async () => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const cursor = new Cursor<{ n: number }>("select n from generate_series(1, 5) n", []);
    client.query(cursor as never);
    expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }]);
    await cursor.close();
    client.release();
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("serves what comes behind many errors", async () => {
    const pool = make({ max: 1 });
    for (let time = 0; time < 20; time++) expect(await rejection(pool.query("invalid sql"))).toMatchObject({ code: "42601" });
    expect((await pool.query("select $1::text as name", ["a"])).rows).toEqual([{ name: "a" }]);
    await pool.end();
  });

  test("gives pg's own promises, or those of a class of the caller's", async () => {
    class Mine<T> extends Promise<T> {}
    const pool = make({ Promise: Mine as never });
    const asked = [pool.connect(), pool.query("select 1"), pool.query("select $1::int", [1])];
    for (const promise of asked) expect(promise).toBeInstanceOf(Mine);
    ((await asked[0]) as pg.PoolClient).release();
    await Promise.all(asked);
    const ended = pool.end();
    expect(ended).toBeInstanceOf(Mine);
    await ended;
    expect(make().connect).toBeTypeOf("function");
  });

  test("shows the options it was made with, and hides the password", async () => {
    const pool = make({ ...pieces(), max: 3, min: 1, idleTimeoutMillis: 1_234, maxUses: 9, maxLifetimeSeconds: 60, allowExitOnIdle: true });
    expect(pool.options).toMatchObject({
      max: 3,
      min: 1,
      idleTimeoutMillis: 1_234,
      maxUses: 9,
      maxLifetimeSeconds: 60,
      allowExitOnIdle: true,
      ...without(pieces(), "password"),
    });
    expect(Object.keys(pool.options)).not.toContain("password");
    expect(JSON.stringify(pool.options)).not.toContain(pieces().password);
    await pool.end();
  });

  test("removes an idle client that fails, and tells of it with its client", async () => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    client.release();
    const error = once(pool, "error");
    const problem = new Error("problem");
    client.emit("error", problem);
    expect(await error).toEqual([problem, client]);
    expect((problem as Error & { client?: unknown }).client).toBe(client);
    expect([pool.totalCount, pool.idleCount]).toEqual([0, 0]);
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("tells of an idle connection that the server ends", async () => {
    await using direct = await openDirect();
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const { processID } = client as unknown as { processID: number };
    client.release();
    const failed = once(pool, "error");
    await direct.query("select pg_terminate_backend($1)", [processID]);
    expect(await failed).toMatchObject([{ code: "57P01", name: "error" }, { processID }]);
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("leaves the error of a client that is held to its holder", async () => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const ofPool: unknown[] = [];
    const ofClient: unknown[] = [];
    pool.on("error", (error) => ofPool.push(error));
    client.once("error", (error) => ofClient.push(error));
    client.emit("error", new Error("expected"));
    expect([ofPool.length, ofClient.length, pool.totalCount]).toEqual([0, 1, 1]);
    client.release();
    await pool.end();
  });

  test("closes what is idle for too long, and keeps min", async () => {
    const pool = make({ max: 3, min: 1, idleTimeoutMillis: 30 });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    await until(() => pool.totalCount === 1);
    await delay(60);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
    await pool.end();
  });

  test("keeps what is idle where there is no limit", async () => {
    const pool = make({ idleTimeoutMillis: 0 });
    const client = await pool.connect();
    client.release();
    await delay(30);
    expect(await pool.connect()).toBe(client);
    client.release();
    await pool.end();
  });

  test("replaces a connection that was used maxUses times", async () => {
    const pool = make({ max: 1, maxUses: 2 });
    const ids: number[] = [];
    for (let time = 0; time < 5; time++) ids.push((await pool.query("select pg_backend_pid() as pid")).rows[0].pid);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[3]).toBe(ids[2]);
    expect(new Set(ids).size).toBe(3);
    const held = await pool.connect();
    held.release();
    await until(() => pool.totalCount === 0);
    await pool.end();
  });

  test("removes a connection that is older than maxLifetimeSeconds, when it is given back or at once where it is idle", async () => {
    const pool = make({ max: 2, maxLifetimeSeconds: 0.1 });
    const held = await pool.connect();
    await pool.query("select 1");
    await until(() => pool.totalCount === 1 && pool.expiredCount === 1);
    held.release();
    await until(() => pool.totalCount === 0);
    expect(pool.expiredCount).toBe(0);
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("has onConnect make new connections ready, and fails where that fails", async () => {
    let fails = true;
    const pool = make({
      max: 1,
      onConnect: (async (client: pg.PoolClient) => {
        if (fails) throw new Error("not ready");
        await client.query("set application_name = 'readied'");
      }) as never,
    });
    expect(await rejection(pool.connect())).toMatchObject({ message: "not ready" });
    expect(await rejection(pool.query("select 1"))).toMatchObject({ message: "not ready" });
    await until(() => pool.totalCount === 0);
    fails = false;
    for (let time = 0; time < 2; time++) {
      expect((await pool.query("show application_name")).rows).toEqual([{ application_name: "readied" }]);
    }
    await pool.end();
  });

  test("has verify refuse a new connection, once for each", async () => {
    let verified = 0;
    const pool = make({
      max: 1,
      verify: (client, done) => {
        expect(client.query).toBeTypeOf("function");
        verified++;
        done(verified === 1 ? new Error("nope") : undefined);
      },
    });
    const removed = once(pool, "remove");
    expect(await rejection(pool.connect())).toMatchObject({ message: "nope" });
    await removed;
    for (let time = 0; time < 3; time++) expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    expect(verified).toBe(2);
    await pool.end();
  });

  test("tells log", async () => {
    const messages: unknown[] = [];
    const pool = make({ log: (message) => messages.push(message) });
    await pool.query("select 1");
    expect(messages).toEqual(expect.arrayContaining(["connecting new client", "new client connected"]));
    await pool.end();
  });

  test("hands its options to its clients: binary, types, limits", async () => {
    const pool = make({
      ...({ binary: true } as object),
      types: { getTypeParser: () => () => "read" } as never,
      statement_timeout: 4_000,
      lock_timeout: 3_000,
      idle_in_transaction_session_timeout: 2_000,
      application_name: "mine",
      options: "-c work_mem=5MB",
    });
    const client = await pool.connect();
    expect(client).toMatchObject({ binary: true });
    expect((await client.query("select 1 as n")).rows).toEqual([{ n: "read" }]);
    client.release();
    expect((await pool.query("select $1::int as n", [1])).rows).toEqual([{ n: "read" }]);
    await pool.end();
    const plain = make({
      statement_timeout: 4_000,
      lock_timeout: 3_000,
      idle_in_transaction_session_timeout: 2_000,
      application_name: "mine",
      options: "-c work_mem=5MB",
    });
    const names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name", "work_mem"];
    const values = await Promise.all(names.map(async (name) => (await plain.query(`show ${name}`)).rows[0][name]));
    expect(values).toEqual(["4s", "3s", "2s", "mine", "5MB"]);
    await plain.end();
  });

  test("gives up by statement_timeout, lock_timeout and query_timeout, in their own words", async () => {
    const slow = make({ statement_timeout: 50 });
    expect(await rejection(slow.query("select pg_sleep(5)"))).toMatchObject({
      code: "57014",
      name: "error",
      ...(own && { fate: "refused" }),
    });
    await slow.end();
    const silent = make({ max: 1, query_timeout: 50 });
    const removed = once(silent, "remove");
    expect(await rejection(silent.query("select pg_sleep(1)"))).toMatchObject({
      message: "Query read timeout",
      ...(own && { fate: "unknown", retryable: false }),
    });
    await removed;
    const client = await silent.connect();
    expect(await rejection(client.query("select pg_sleep(1), $1::int", [1]))).toMatchObject({
      message: "Query read timeout",
      ...(own && { fate: "unknown" }),
    });
    client.release(true);
    expect((await silent.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await silent.end();
  });

  test("calls a password function for every connection", async () => {
    let asked = 0;
    const { password, ...rest } = pieces();
    const pool = make({
      ...rest,
      max: 2,
      password: async () => {
        asked++;
        return password;
      },
    });
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    expect(asked).toBe(2);
    for (const client of clients) client.release();
    await pool.end();
  });

  test("shows the line that asked, in what it rejects with", async () => {
    const pool = make();
    const failing = async () => {
      await pool.query("select 1 / 0");
    };
    expect((await rejection(failing())).stack).toContain("pool.test.ts");
    await pool.end();
    const connecting = async () => {
      const client = await pool.connect();
      client.release();
    };
    expect((await rejection(connecting())).stack).toContain("pool.test.ts");
  });
});

describe.each(pools)("%s", (_, make) => {
  test("is told of a connection that is lost while a client is held, by the client", async () => {
    await using direct = await openDirect();
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const failed = once(client, "error");
    // pg tells of the end as well, where that comes before the client is given back
    client.on("error", () => {});
    await direct.query("select pg_terminate_backend($1)", [(client as unknown as { processID: number }).processID]);
    expect(await failed).toMatchObject([{ code: "57P01" }]);
    expect(await rejection(client.query("select 1"))).toMatchObject({
      message: "Client has encountered a connection error and is not queryable",
    });
    client.release();
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });
});

function without<T extends object, K extends keyof T>(given: T, name: K): Omit<T, K> {
  const { [name]: _, ...rest } = given;
  return rest;
}
