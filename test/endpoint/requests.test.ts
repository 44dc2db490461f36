import { createServer } from "node:net";
import { describe, expect, inject, test } from "vitest";
import { WebSocket } from "ws";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { databaseUrl, eventually, postTo, useEndpoint } from "./local-endpoint.ts";

const { running, post, query } = useEndpoint();

const pid = async () => (await query("select pg_backend_pid() as pid")).rows;

describe("a batch", () => {
  test("is one transaction", async () => {
    const { body } = await post({
      queries: [{ query: "select txid_current()::text as id" }, { query: "select txid_current()::text as id" }],
    });
    const [first, second] = body.results as { rows: unknown[] }[];
    expect(first?.rows).toEqual(second?.rows);
  });

  test.each([
    ["ReadUncommitted", "read uncommitted"],
    ["ReadCommitted", "read committed"],
    ["RepeatableRead", "repeatable read"],
    ["Serializable", "serializable"],
  ])("runs as %s", async (level, setting) => {
    const queries = [{ query: "select current_setting('transaction_isolation') as level" }];
    const { headers, body } = await post({ queries }, { headers: { "Neon-Batch-Isolation-Level": level } });
    expect(body.results).toMatchObject([{ rows: [{ level: setting }] }]);
    expect(headers.get("neon-batch-isolation-level")).toBe(level);
  });

  test.each([
    ["true", "on"],
    ["TRUE", "off"],
    ["false", "off"],
  ])("with the flags %s is read-only and deferrable: %s", async (flag, setting) => {
    const queries = [{ query: "select current_setting('transaction_read_only') as r, current_setting('transaction_deferrable') as d" }];
    const headers = { "Neon-Batch-Read-Only": flag, "Neon-Batch-Deferrable": flag };
    const answer = await post({ queries }, { headers });
    expect(answer.body.results).toMatchObject([{ rows: [{ r: setting, d: setting }] }]);
    expect(answer.headers.get("neon-batch-read-only")).toBe(flag === "true" ? "true" : null);
  });

  test("that is read-only refuses to write", async () => {
    const answer = await post({ queries: [{ query: "create table never (n int)" }] }, { headers: { "Neon-Batch-Read-Only": "true" } });
    expect(answer.body).toMatchObject({ code: "25006" });
  });

  test("may be empty", async () => {
    expect((await post({ queries: [] })).body).toEqual({ results: [] });
  });
});

describe("a request leaves nothing to the next one on its connection:", () => {
  test.each<[string, readonly string[], string, unknown]>([
    [
      "no transaction",
      ["begin"],
      "select count(*)::int4 as v from pg_locks where pid = pg_backend_pid() and locktype = 'transactionid'",
      0,
    ],
    ["no failed transaction", ["begin", "select 1/0"], "select 1 as v", 1],
    ["no setting", ["set work_mem = '7MB'"], "select current_setting('work_mem') as v", "4MB"],
    ["no custom setting", ["select set_config('app.user', 'someone', false)"], "select current_setting('app.user', true) as v", ""],
    ["no role", ["set role pg_monitor"], "select current_user::text as v", "postgres"],
    ["no temporary table", ["create temp table kept (n int)"], "select to_regclass('pg_temp.kept')::text as v", null],
    [
      "no advisory lock",
      ["select pg_advisory_lock(7)"],
      "select count(*)::int4 as v from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
      0,
    ],
    [
      "no prepared statement",
      ["prepare kept as select 1"],
      "select count(*)::int4 as v from pg_prepared_statements where name = 'kept'",
      0,
    ],
    ["no listener", ["listen kept"], "select count(*)::int4 as v from pg_listening_channels()", 0],
  ])("%s", async (_, texts, check, value) => {
    const before = await pid();
    for (const text of texts) await post({ query: text });
    expect((await query(check)).rows).toEqual([{ v: value }]);
    expect(await pid()).toEqual(before);
  });
});

describe("a connection", () => {
  test("is kept for the next request of the same login, and for no other", async () => {
    const first = await pid();
    expect(await pid()).toEqual(first);
    const url = databaseUrl((changed) => changed.searchParams.set("application_name", "other"));
    const { body } = await post({ query: "select pg_backend_pid() as pid, current_setting('application_name') as name" }, { url });
    expect(body.rows).toMatchObject([{ name: "other" }]);
    expect(body.rows).not.toMatchObject(first as object[]);
  });

  test("is not handed to a wrong password because the right one was there before", async () => {
    await query("select 1");
    expect((await post({ query: "select 1" }, { url: databaseUrl((url) => (url.password = "wrong")) })).status).toBe(400);
  });

  test("takes startup parameters from the URL, and leaves out what is the client's", async () => {
    const url = databaseUrl((changed) => {
      for (const [name, value] of [
        ["sslmode", "require"],
        ["channel_binding", "require"],
        ["options", "endpoint=ep-x -c work_mem=9MB"],
        ["search_path", "pg_catalog"],
      ] as const) {
        changed.searchParams.set(name, value);
      }
    });
    const { body } = await post({ query: "select current_setting('work_mem') as m, current_setting('search_path') as p" }, { url });
    expect(body.rows).toEqual([{ m: "9MB", p: "pg_catalog" }]);
  });

  test("decodes user, password and database", async () => {
    const name = 'we%ird "näme';
    await query(`create role "${name.replaceAll('"', '""')}" login password 'p@ss/w%rd:ü'`);
    await query(`create database "${name.replaceAll('"', '""')}"`);
    const { host, port } = inject("postgres");
    const url = `postgres://${encodeURIComponent(name)}:${encodeURIComponent("p@ss/w%rd:ü")}@${host}:${port}/${encodeURIComponent(name)}`;
    expect((await post({ query: "select current_user::text as u, current_database()::text as d" }, { url })).body.rows).toEqual([
      { u: name, d: name },
    ]);
  });

  test("killed while idle is replaced, and killed under a statement is told with the server's code", async () => {
    const [row] = (await pid()) as { pid: number }[];
    const other = databaseUrl((url) => url.searchParams.set("application_name", "killer"));
    await post({ query: "select pg_terminate_backend($1, 5000)", params: [row?.pid] }, { url: other });
    await eventually(
      () => post({ query: "select 1 as n" }),
      ({ status }) => status === 200,
    );
    expect((await post({ query: "select pg_terminate_backend(pg_backend_pid())" })).body).toMatchObject({ code: "57P01" });
    expect((await query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });
});

describe("a limit", () => {
  const small = useEndpoint({ maxRequestBytes: 2_000, maxResponseBytes: 2_000 });

  test("on requests is 413, and the next one is served", async () => {
    const { status, body } = await small.post({ query: "select $1", params: ["x".repeat(1_000_000)] });
    expect([status, body.message]).toEqual([413, "request is too large (max is 2000 bytes)"]);
    expect((await small.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });

  test.each([
    ["one big value", "select repeat('x', 3000) as v"],
    ["many rows", "select generate_series(1, 100000000) as v"],
    ["what JSON adds", "select repeat('\"', 1500) as v"],
    ["field names", `select ${Array.from({ length: 30 }, (_, n) => `1 as a${n}`).join(",")}`],
  ])("on responses is 507: %s", async (_, text) => {
    const { status, body } = await small.post({ query: text });
    expect([status, body.message]).toEqual([507, "response is too large (max is 2000 bytes)"]);
  });

  test("on responses rolls a batch back", async () => {
    await small.query("create table if not exists too_much (n int)");
    for (const big of ["select repeat('x', 3000) as v", "select repeat('\"', 1500) as v"]) {
      const { status } = await small.post({ queries: [{ query: "insert into too_much values (1)" }, { query: big }] });
      expect(status).toBe(507);
    }
    expect((await small.query("select * from too_much")).rows).toEqual([]);
  });

  test("counts the whole batch", async () => {
    const queries = Array.from({ length: 4 }, () => ({ query: "select repeat('x', 600) as v" }));
    expect((await small.post({ queries })).status).toBe(507);
    expect((await small.post({ queries: queries.slice(0, 1) })).status).toBe(200);
  });

  test("leaves no statement running", async () => {
    const text = "select repeat('x', 100000) as cut_short union all select pg_sleep(600)::text";
    expect((await small.post({ query: text })).status).toBe(507);
    await eventually(
      () => activity("cut_short"),
      (count) => count === 0,
    );
  });
});

const activity = async (mark: string) => {
  const text = "select count(*)::int4 as n from pg_stat_activity where query like '%' || $1 || '%' and wait_event = 'PgSleep'";
  return ((await query(text, [mark])).rows as { n: number }[])[0]?.n;
};

describe("a client that goes away", () => {
  test.each([
    ["a statement", { query: "select pg_sleep(600) as left_alone" }],
    ["a batch", { queries: [{ query: "select 1" }, { query: "select pg_sleep(600) as left_alone" }] }],
  ])("cancels %s on the server", async (_, body) => {
    const leaving = new AbortController();
    const gone = post(body, { signal: leaving.signal }).catch((error: unknown) => error);
    await eventually(
      () => activity("left_alone"),
      (count) => count === 1,
    );
    leaving.abort();
    expect(await gone).toMatchObject({ name: "AbortError" });
    await eventually(
      () => activity("left_alone"),
      (count) => count === 0,
    );
  });

  test("commits nothing of a batch", async () => {
    await query("create table if not exists abandoned (n int)");
    const leaving = new AbortController();
    const queries = [{ query: "insert into abandoned values (1)" }, { query: "select pg_sleep(600) as left_batch" }];
    const gone = post({ queries }, { signal: leaving.signal }).catch(() => undefined);
    await eventually(
      () => activity("left_batch"),
      (count) => count === 1,
    );
    leaving.abort();
    await gone;
    await eventually(
      () => activity("left_batch"),
      (count) => count === 0,
    );
    expect((await query("select * from abandoned")).rows).toEqual([]);
  });
});

describe("stopping", () => {
  test("does not wait for a server that never answers a login", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const endpoint = await startEndpoint({ databaseUrl: `postgres://127.0.0.1:${port}/x`, port: 0 });
    const webSocket = new WebSocket(`ws://127.0.0.1:${endpoint.port}/v2`);
    await new Promise((resolve) => webSocket.once("open", resolve));
    const connections = [new Promise((resolve) => silent.once("connection", resolve))];
    const answer = postTo(endpoint, { query: "select 1" });
    await connections[0];
    connections.push(new Promise((resolve) => silent.once("connection", resolve)));
    webSocket.send(Buffer.concat([Buffer.from("\0\0\0\x10\0\x03\0\0user\0u\0\0"), Buffer.from("p\0\0\0\x06x\0")]));
    await connections[1];
    await endpoint.stop();
    expect(await answer).toMatchObject({ status: 400, body: { code: "08P01" } });
    await new Promise((resolve) => silent.close(resolve));
  });

  test("cancels what is running and tells its client", async () => {
    const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0 });
    const answer = postTo(endpoint, { query: "select pg_sleep(600) as stopped_at_once" });
    await eventually(
      () => activity("stopped_at_once"),
      (count) => count === 1,
    );
    await Promise.all([endpoint.stop(), endpoint.stop()]);
    expect(await answer).toMatchObject({ status: 400, body: { message: "Query cancelled, connection was terminated", code: "08P01" } });
    await eventually(
      () => activity("stopped_at_once"),
      (n) => n === 0,
    );
    await expect(postTo(endpoint, { query: "select 1" })).rejects.toThrow();
  });

  test("closes every connection to the server", async () => {
    const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0 });
    const url = databaseUrl((changed) => changed.searchParams.set("application_name", "to be closed"));
    await Promise.all([1, 2, 3].map(() => postTo(endpoint, { query: "select pg_sleep(0.01)" }, { url })));
    const count = async () =>
      ((await query("select count(*)::int4 as n from pg_stat_activity where application_name = 'to be closed'")).rows as { n: number }[])[0]
        ?.n;
    expect(await count()).toBeGreaterThan(0);
    await endpoint.stop();
    await eventually(count, (n) => n === 0);
  });
});

test("requests are counted, whatever becomes of them", async () => {
  const before = running().requests;
  await post({ queries: [{ query: "select 1" }, { query: "select 2" }] });
  await post("{");
  expect(running().requests - before).toBe(2);
});

test("keeps the idle connections of no more than sixteen logins", async () => {
  for (let index = 0; index < 40; index += 1) {
    const url = databaseUrl((changed) => changed.searchParams.set("application_name", `login ${index}`));
    expect((await post({ query: "select 1" }, { url })).status).toBe(200);
  }
  const kept = async () =>
    ((await query("select count(*)::int4 as n from pg_stat_activity where application_name like 'login %'")).rows as { n: number }[])[0]?.n;
  await eventually(kept, (count) => count !== undefined && count <= 16);
});
