import { Client, NeonDbError, neon, neonConfig, Pool } from "@neondatabase/serverless";
import pg from "pg";
import { beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { WebSocket } from "ws";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { databaseUrl, eventually, useEndpoint } from "./local-endpoint.ts";

const { running, query } = useEndpoint();

const settings: { webSocketConstructor?: unknown; wsProxy?: unknown; useSecureWebSocket?: boolean; pipelineConnect?: unknown } = neonConfig;

beforeAll(() => {
  neonConfig.fetchEndpoint = () => `${running().url}/sql`;
  settings.webSocketConstructor = WebSocket;
  settings.wsProxy = () => `127.0.0.1:${running().port}/v2`;
  settings.useSecureWebSocket = false;
});

/** With a pipelined login the driver takes the login for granted, and its first statement learns how it went. */
async function connectAndAsk(client: Client): Promise<void> {
  await client.connect();
  await client.query("select 1");
}

describe("neon()", () => {
  test("gives the rows pg gives", async () => {
    const sql = neon(inject("postgres").url);
    const direct = new pg.Client(inject("postgres").url);
    await direct.connect();
    const text = `select 1::int2 as a, 2::int8 as b, 1.50::numeric as c, '{1,2}'::int[] as d, '{"x": [1]}'::jsonb as e, '2026-01-02 03:04:05+00'::timestamptz as f,
      '\\x00ff'::bytea as g, null::text as h, array['a,b', null] as i, 'NaN'::float8 as j, true as k, '{2026-01-02}'::date[] as l`;
    const { rows } = await direct.query(text);
    await direct.end();
    expect(await sql.query(text)).toEqual(rows);
    expect(await sql`select ${7}::int4 as n, ${[1, 2]}::int4[] as list, ${null}::text as nothing`).toEqual([
      { n: 7, list: [1, 2], nothing: null },
    ]);
  });

  test("gives full results and arrays", async () => {
    const sql = neon(inject("postgres").url, { fullResults: true, arrayMode: true });
    expect(await sql`select 1 as n, 2 as n`).toMatchObject({ rows: [[1, 2]], rowCount: 1, command: "SELECT", rowAsArray: true });
  });

  test("gives the server's error with its fields", async () => {
    const sql = neon(inject("postgres").url);
    const error = await sql`select 1/0`.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NeonDbError);
    expect(error).toMatchObject({ code: "22012", severity: "ERROR", message: "division by zero", routine: "int4div" });
  });

  test("runs a transaction with its modes", async () => {
    const sql = neon(inject("postgres").url);
    const modes = { isolationLevel: "Serializable", readOnly: true, deferrable: true } as const;
    const [level, flags] = await sql.transaction(
      [sql`select current_setting('transaction_isolation') as v`, sql`select current_setting('transaction_deferrable') as v`],
      modes,
    );
    expect([level, flags]).toEqual([[{ v: "serializable" }], [{ v: "on" }]]);
  });

  test("is refused with a wrong password", async () => {
    const sql = neon(databaseUrl((url) => (url.password = "canary")));
    await expect(sql`select 1`).rejects.toMatchObject({
      name: "NeonDbError",
      message: 'password authentication failed for user "postgres"',
    });
  });
});

describe.each([["password" as const], [false as const]])("over WebSocket with pipelineConnect %s", (pipelineConnect) => {
  beforeEach(() => {
    settings.pipelineConnect = pipelineConnect;
  });

  test("a client queries, fails and goes on", async () => {
    const client = new Client(inject("postgres").url);
    await client.connect();
    expect((await client.query("select $1::int4 as n, $2::text as t", [7, "ü"])).rows).toEqual([{ n: 7, t: "ü" }]);
    await expect(client.query("select 1/0")).rejects.toMatchObject({ code: "22012" });
    expect((await client.query("select current_setting('server_version_num')::int4 > 0 as ok")).rows).toEqual([{ ok: true }]);
    await client.end();
  });

  test("a pool runs a transaction, and what is rolled back is gone", async () => {
    const pool = new Pool({ connectionString: inject("postgres").url });
    const client = await pool.connect();
    await client.query("create table if not exists interactive (n int)");
    await client.query("begin");
    const { rows } = await client.query("insert into interactive values (1) returning n");
    expect(rows).toEqual([{ n: 1 }]);
    await client.query("rollback");
    expect((await client.query("select * from interactive")).rows).toEqual([]);
    client.release();
    await pool.end();
  });

  test("a wrong password is the server's 28P01", async () => {
    const client = new Client(databaseUrl((url) => (url.password = "canary")));
    client.on("error", () => undefined);
    await expect(connectAndAsk(client)).rejects.toMatchObject({
      code: "28P01",
      severity: "FATAL",
      message: 'password authentication failed for user "postgres"',
    });
  });

  test("an unknown database is the server's 3D000", async () => {
    const client = new Client(databaseUrl((url) => (url.pathname = "/nowhere")));
    client.on("error", () => undefined);
    await expect(connectAndAsk(client)).rejects.toMatchObject({ code: "3D000" });
  });

  test("startup parameters reach the server", async () => {
    const client = new Client({ connectionString: inject("postgres").url, application_name: "by WebSocket" });
    await client.connect();
    expect((await client.query("select current_setting('application_name') as n")).rows).toEqual([{ n: "by WebSocket" }]);
    await client.end();
  });

  test("megabytes go both ways unharmed", async () => {
    const client = new Client(inject("postgres").url);
    await client.connect();
    const text = "0123456789abcdef".repeat(500_000);
    const { rows } = await client.query("select $1::text as back, repeat($2, 8000000) as more", [text, "x"]);
    expect(rows[0]?.back === text).toBe(true);
    expect(rows[0]?.more.length).toBe(8_000_000);
    await client.end();
  });

  test("notices and notifications arrive", async () => {
    const client = new Client(inject("postgres").url);
    await client.connect();
    const notice = new Promise((resolve) => client.once("notice", ({ message }) => resolve(message)));
    const notification = new Promise((resolve) => client.once("notification", ({ payload }) => resolve(payload)));
    await client.query("do $$ begin raise notice 'noted'; end $$");
    await client.query("listen bell");
    await query("select pg_notify('bell', 'rung')");
    expect([await notice, await notification]).toEqual(["noted", "rung"]);
    await client.end();
  });
});

describe("over WebSocket", () => {
  const sessions = async (name: string) => {
    const { rows } = await query("select count(*)::int4 as n from pg_stat_activity where application_name = $1", [name]);
    return (rows as { n: number }[])[0]?.n;
  };

  test("a client that vanishes takes its running statement with it", async () => {
    const client = new Client({ connectionString: inject("postgres").url, application_name: "vanishing" });
    client.on("error", () => undefined);
    await client.connect();
    const lost = client.query("select pg_sleep(600)").catch((error: unknown) => error);
    await eventually(
      async () =>
        (await query("select 1 from pg_stat_activity where application_name = 'vanishing' and wait_event = 'PgSleep'")).rows.length,
      (n) => n === 1,
    );
    const socket = client.connection.stream as unknown as { ws: WebSocket };
    socket.ws.terminate();
    expect(await lost).toBeInstanceOf(Error);
    await eventually(
      () => sessions("vanishing"),
      (n) => n === 0,
    );
  });

  test("a client that says goodbye leaves no session", async () => {
    const client = new Client({ connectionString: inject("postgres").url, application_name: "polite" });
    await client.connect();
    expect(await sessions("polite")).toBe(1);
    await client.end();
    await eventually(
      () => sessions("polite"),
      (n) => n === 0,
    );
  });

  test("a backend that is terminated ends its client", async () => {
    const client = new Client({ connectionString: inject("postgres").url, application_name: "terminated" });
    const ended = new Promise((resolve) => client.on("error", resolve));
    await client.connect();
    await query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'terminated'");
    expect(await ended).toMatchObject({ code: "57P01" });
  });

  test("stopping the endpoint ends sessions", async () => {
    const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0 });
    const client = new Client({ connectionString: inject("postgres").url, application_name: "left over" });
    (client.neonConfig as unknown as { wsProxy: unknown }).wsProxy = () => `127.0.0.1:${endpoint.port}/v2`;
    client.on("error", () => undefined);
    await client.connect();
    const lost = client.query("select pg_sleep(600)").catch((error: unknown) => error);
    await endpoint.stop();
    expect(await lost).toBeInstanceOf(Error);
    await eventually(
      () => sessions("left over"),
      (n) => n === 0,
    );
  });
});
