import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { sharedPool, WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { openDirect, urlAt } from "../databases.ts";
import { handles, pieces, pools, rejection } from "./pools.ts";

let server: PostgresServer;
let ca: string;

beforeAll(async () => {
  server = await startPostgres({ tls: true });
  ca = readFileSync(server.ca ?? "", "utf8");
});
afterAll(() => server.stop());
afterEach(() => void vi.unstubAllEnvs());

const isEncrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

async function first(pool: pg.Pool, text: string): Promise<unknown> {
  try {
    return Object.values((await pool.query(text)).rows[0])[0];
  } finally {
    await pool.end();
  }
}

describe.each(handles)("%s", (_, make) => {
  test("encrypts as ssl says", async () => {
    const options = { connectionString: server.url() };
    expect(await first(make({ ...options, ssl: { ca } }), isEncrypted)).toBe(true);
    expect(await first(make({ ...options, ssl: { rejectUnauthorized: false } }), isEncrypted)).toBe(true);
    expect(await first(make({ ...options, ssl: false }), isEncrypted)).toBe(false);
    expect(await first(make({ connectionString: `${server.url()}?sslmode=no-verify` }), isEncrypted)).toBe(true);
    const unknown = make({ ...options, ssl: true });
    expect((await rejection(unknown.query("select 1"))).code).toMatch(/CERT|SIGNATURE/);
    await unknown.end();
    const stranger = make({ ...options, ssl: { ca, checkServerIdentity: () => new Error("not him") } });
    expect(await rejection(stranger.query("select 1"))).toMatchObject({ message: "not him" });
    await stranger.end();
  });

  test("reads parameters of the connection string as options", async () => {
    const connectionString = `${urlAt()}?lock_timeout=3000&statement_timeout=4000&application_name=said&options=-c%20work_mem%3D5MB`;
    expect(
      await first(
        make({ connectionString }),
        "select concat_ws(' ', current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('application_name'), current_setting('work_mem'))",
      ),
    ).toBe("3s 4s said 5MB");
  });

  test("takes the stream it is given", async () => {
    const streams: Socket[] = [];
    const stream = (() => {
      const socket = new Socket();
      streams.push(socket);
      return socket;
    }) as never;
    expect(await first(make({ ...pieces(), stream }), "select 1")).toBe(1);
    expect(streams).toHaveLength(1);
  });

  test("fails with what making a client throws, and goes on", async () => {
    let fails = true;
    const pool = make({
      ...pieces(),
      max: 1,
      stream: () => {
        if (fails) throw new Error("no stream");
        return new Socket();
      },
    });
    for (const values of [undefined, [1]]) {
      const failing = async () => pool.query("select 1", values);
      expect(await rejection(failing())).toMatchObject({ message: "no stream" });
    }
    fails = false;
    expect(await first(pool, "select 1")).toBe(1);
  });

  test("reads the variables of pg, as far as options and URL leave them open", async () => {
    const { host, port, user, password, database } = pieces();
    for (const [name, value] of Object.entries({
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGDATABASE: database,
      PGAPPNAME: "variable",
      PGOPTIONS: "-c work_mem=6MB",
    })) {
      vi.stubEnv(name, value);
    }
    const text =
      "select concat_ws(' ', current_user, current_database(), current_setting('application_name'), current_setting('work_mem'))";
    expect(await first(make({ host }), text)).toBe(`${user} ${database} variable 6MB`);
    expect(await first(make({ host, application_name: "option", options: "-c work_mem=7MB" }), text)).toBe(
      `${user} ${database} option 7MB`,
    );
  });
});

const ours = [
  ["WarmPool", (options: WarmPoolOptions | string) => new WarmPool(options)],
  ["sharedPool", (options: WarmPoolOptions | string) => sharedPool(options)],
] as const;

describe.each(ours)("%s", (_, make) => {
  test("takes a URL by itself", async () => {
    expect(await first(make(urlAt()), "select 1")).toBe(1);
  });

  test("takes pg's spelling and ours, and refuses what is said twice", () => {
    expect(() => make({ url: urlAt(), connectionString: urlAt() })).toThrow(
      "The setting url must be left out: connectionString says it already.",
    );
    expect(() => make({ url: urlAt(), idleTimeoutMillis: 1, idleTimeoutMs: 1 })).toThrow("idleTimeoutMillis says it already");
  });

  test("refuses in a sentence what it cannot keep", () => {
    for (const option of [{ Client: pg.Client }, { native: true }, { pipeline: true }]) {
      expect(() => make({ url: urlAt(), ...option } as WarmPoolOptions)).toThrow(/must be left out: .+\.$/);
    }
  });

  test("refuses where pg is told to be another driver", async () => {
    vi.stubEnv("NODE_PG_FORCE_NATIVE", "1");
    const asked = async () => make(urlAt()).query("select 1");
    expect(await rejection(asked())).toMatchObject({ code: "INVALID_SETTING", setting: "NODE_PG_FORCE_NATIVE" });
  });

  test("reads no other URL in the place of a connectionString that is empty", async () => {
    vi.stubEnv("DATABASE_URL", urlAt());
    vi.stubEnv("PGHOST", undefined);
    const asked = async () => make({ connectionString: process.env.NOT_THERE }).query("select 1");
    expect(await rejection(asked())).toMatchObject({ code: "MISSING_SETTING", setting: "connectionString" });
    expect(await first(make({ connectionString: undefined, ...pieces() }), "select 1")).toBe(1);
    expect(await first(make({}), "select 1")).toBe(1);
  });

  test("refuses limits that are told at login where the target takes none, and so does not lose them", async () => {
    for (const name of ["lock_timeout", "idle_in_transaction_session_timeout"] as const) {
      const asked = async () => make({ url: `${urlAt()}?pgbouncer=true`, [name]: 5 }).query("select 1");
      expect(await rejection(asked())).toMatchObject({ setting: name, message: expect.stringContaining("takes none at login") });
    }
  });

  test("negotiates TLS as PGSSLNEGOTIATION says, unless the URL or an option does", async () => {
    vi.stubEnv("PGSSLNEGOTIATION", "sometimes");
    const asked = async (options: WarmPoolOptions) => make(options).query("select 1");
    expect(await rejection(asked({ url: urlAt() }))).toMatchObject({ setting: "PGSSLNEGOTIATION" });
    expect(await first(make({ url: `${urlAt()}?sslnegotiation=postgres` }), "select 1")).toBe(1);
    expect(await first(make({ url: urlAt(), sslnegotiation: "postgres" }), "select 1")).toBe(1);
  });

  test("has a name where pg knows none but its fallback", async () => {
    const text = "select current_setting('application_name')";
    expect(await first(make({ url: urlAt() }), text)).toBe("warmline");
    expect(await first(make({ url: urlAt(), fallback_application_name: "fallback" }), text)).toBe("fallback");
    expect(await first(make({ url: `${urlAt()}?application_name=url`, fallback_application_name: "fallback" }), text)).toBe("url");
  });
});

describe("WarmPool", () => {
  test("reads with parsers by type id", async () => {
    const pool = new WarmPool({ url: urlAt(), types: { 20: BigInt } });
    expect((await pool.query("select 1::int8 as n")).rows).toEqual([{ n: 1n }]);
    expect((await pool.query("select $1::int8 as n, 2 as m", [1])).rows).toEqual([{ n: 1n, m: 2 }]);
    const client = await pool.connect();
    expect((await client.query("select 1::int8 as n")).rows).toEqual([{ n: 1n }]);
    client.release();
    await pool.end();
  });

  test.each(pools)("%s leaves an object that gives a password function out of its own options", async (_, make) => {
    const password = vi.fn(async (_login?: unknown) => pieces().password);
    const pool = make({ ...pieces(), password });
    await pool.query("select 1");
    expect(password).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ user: pieces().user }));
    await pool.end();
  });
});

describe("sharedPool", () => {
  const name = (): string => crypto.randomUUID();
  const pid = async (pool: pg.Pool): Promise<number> => (await pool.query("select pg_backend_pid() as pid")).rows[0].pid;

  test("shares connections where what only pg knows is the same, hooks by their reference", async () => {
    const own = { url: urlAt(), name: name() };
    const hook = () => {};
    const pids = await Promise.all(
      [
        {},
        {},
        { lock_timeout: 5 },
        { lock_timeout: 5 },
        { lock_timeout: 6 },
        { onConnect: hook },
        { onConnect: hook },
        { onConnect: () => {} },
      ].map((options) => pid(sharedPool({ ...own, max: 10, pipelining: true, ...options }))),
    );
    await using direct = await openDirect();
    expect((await direct.query("select pid from pg_stat_activity where pid = any($1)", [pids])).rowCount).toBe(new Set(pids).size);
    const [plain] = [await pid(sharedPool({ ...own, max: 10 }))];
    const five = await pid(sharedPool({ ...own, max: 10, lock_timeout: 5 }));
    expect(await pid(sharedPool({ ...own, max: 10 }))).toBe(plain);
    expect(await pid(sharedPool({ ...own, max: 10, lock_timeout: 5 }))).toBe(five);
    expect(five).not.toBe(plain);
    const mine = await pid(sharedPool({ ...own, max: 10, onConnect: hook }));
    expect(await pid(sharedPool({ ...own, max: 10, onConnect: hook }))).toBe(mine);
    expect(mine).not.toBe(plain);
    expect(await pid(sharedPool({ ...own, max: 10, onConnect: () => {} }))).not.toBe(mine);
  });

  test("takes its limits for those of the room", async () => {
    const pool = sharedPool({ url: urlAt(), name: name(), max: 1, idleTimeoutMillis: 77, connectionTimeoutMillis: 500 });
    const client = await pool.connect();
    expect(pool.options).toMatchObject({ max: 1, idleTimeoutMillis: 77 });
    expect(await rejection(pool.query("select 1"))).toMatchObject({ message: "timeout exceeded when trying to connect" });
    client.release();
    await pool.end();
  });
});

test("the server that the others are held against speaks no TLS", async () => {
  expect(inject("postgres").url).toBe(urlAt());
  const pool = new WarmPool({ connectionString: urlAt(), ssl: true });
  expect(await rejection(pool.query("select 1"))).toMatchObject({
    message: "The server does not support SSL connections",
    fate: "not-sent",
    code: "TLS_FAILED",
  });
  await pool.end();
});
