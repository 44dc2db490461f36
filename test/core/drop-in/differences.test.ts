import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import pg from "pg";
import { describe, expect, inject, test, vi } from "vitest";
import { isWarmlineError } from "../../../src/entry/node.ts";
import { WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { startWire } from "../../support/wire.ts";
import { openDirect, until, urlAt } from "../databases.ts";
import { pieces, pools, rejection } from "./pools.ts";

const document = readFileSync(new URL("../../../docs/pool.md", import.meta.url), "utf8");

/** The first column of the table of what differs, as it stands in the document. */
const rows = document
  .slice(document.indexOf("## What differs, and why"))
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| what"))
  .map((line) => line.split(" | ")[0]?.slice(2) ?? "");

/** What holds for pg's pool and what for ours, by the name of its row. */
type Difference = (make: (options?: pg.PoolConfig) => pg.Pool, own: boolean) => Promise<void>;

const open = (options: WarmPoolOptions = {}) => new WarmPool({ url: urlAt(), ...options });

const differences: Readonly<Record<string, Difference>> = {
  "a statement that fails": async (make, own) => {
    const pool = make({ max: 1 });
    await rejection(pool.query("select 1 / 0"));
    await until(() => pool.totalCount === (own ? 1 : 0));
    await pool.end();
  },
  "a client that is released in a transaction": async (make, own) => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    await client.query("begin");
    client.release();
    const next = await pool.connect();
    expect(next.getTransactionStatus()).toBe(own ? "I" : "T");
    next.release(true);
    await pool.end();
  },
  "a client that is lost, and never released": async (make, own) => {
    const pool = make({ max: 1, connectionTimeoutMillis: own ? 0 : 100 });
    const direct = await openDirect();
    const client = await pool.connect();
    client.on("error", () => {});
    const ended = new Promise<void>((resolve) => client.once("end", resolve));
    const { rows } = await client.query("select pg_backend_pid() as pid");
    await direct.query("select pg_terminate_backend($1)", [rows[0].pid]);
    await ended;
    const next = pool.query("select 1 as n").then(
      (result) => result.rows,
      (error: Error) => error.message,
    );
    expect(await next).toEqual(own ? [{ n: 1 }] : "timeout exceeded when trying to connect");
    // giving it back is right all the same, once
    client.release();
    expect(() => client.release()).toThrow("already been released");
    expect((await pool.query("select 2 as n")).rows).toEqual([{ n: 2 }]);
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
    await pool.end();
    await direct.end();
  },
  "who waits when `end` is called": async (make, own) => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const waiting = pool.query("select 1 as n");
    const seen: string[] = [];
    waiting.then(
      () => seen.push("served"),
      () => seen.push("refused"),
    );
    const ending = pool.end();
    client.release();
    await ending;
    expect(seen).toEqual(own ? ["served"] : []);
  },
  "no listener for `error`": async (make, own) => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    client.release();
    const emit = () => client.emit("error", new Error("problem"));
    if (own) expect(emit).not.toThrow();
    else expect(emit).toThrow("problem");
    await pool.end();
  },
  "a connection that died while it was idle": async (make, own) => {
    await using wire = await startWire(inject("postgres"));
    const pool = make({ connectionString: urlAt(wire), max: 1 });
    pool.on("error", () => {});
    await pool.query("select 1");
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime(Date.now() + 60_000);
      wire.cut();
      const asked = pool.query("select $1::int as n", [1]).then(
        ({ rows: [row] }) => row.n,
        () => "lost",
      );
      expect(await asked).toBe(own ? 1 : "lost");
    } finally {
      vi.useRealTimers();
    }
    await pool.end();
  },
  "queries on one connection": async (make, own) => {
    const pool = make({ max: 1 });
    const text = "select $1::int as n";
    // a query that is known to be fast is sent behind others, and on a busy machine none may be
    const stopwatch = vi.spyOn(performance, "now").mockReturnValue(1);
    try {
      for (let time = 0; time < 20; time++) await pool.query(text, [1]);
      let acquired = 0;
      pool.on("acquire", () => acquired++);
      await Promise.all(Array.from({ length: 20 }, (_, n) => pool.query(text, [n])));
      if (own) expect(acquired).toBeLessThan(20);
      else expect(acquired).toBe(20);
    } finally {
      stopwatch.mockRestore();
    }
    await pool.end();
  },
  "the text of a query that comes again": async (make, own) => {
    const pool = make({ max: 1 });
    for (let time = 0; time < 3; time++) await pool.query("select $1::int as n", [1]);
    expect(
      (await pool.query("select count(*)::int as n from pg_prepared_statements where statement like 'select $1::int as n'")).rows,
    ).toEqual([{ n: own ? 1 : 0 }]);
    await pool.end();
  },
  "`connectionTimeoutMillis` left out": async (make, own) => {
    const options = make({ max: 1 }).options as pg.PoolOptions & { readonly connectTimeoutMillis?: number };
    expect(options.connectTimeoutMillis).toBe(own ? 5_000 : undefined);
  },
  "`connectionTimeoutMillis`": async (make, own) => {
    if (!own) return;
    const pool = make({ max: 1, connectionTimeoutMillis: 3_000 });
    expect(pool.options).toMatchObject({ connectionTimeoutMillis: 3_000, connectTimeoutMillis: 3_000 });
    await pool.end();
  },
  "an `onConnect` or `verify` that never ends": async (make, own) => {
    const tried = ["onConnect", "verify"].map(async (hook) => {
      const hooked = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<void>();
      const pool = make({
        max: 1,
        // bounds connecting, too, which takes its time on a busy machine
        connectionTimeoutMillis: 2_000,
        [hook]: (_client: pg.PoolClient, done?: () => void) => {
          hooked.resolve();
          return answered.promise.then(() => done?.());
        },
      });
      const asked = pool.connect();
      const outcome = asked.then(
        (client) => client,
        (error: unknown) => error,
      );
      await hooked.promise;
      if (own) {
        expect(await outcome).toMatchObject({
          code: "CONNECT_TIMEOUT",
          fate: "not-sent",
          cause: { message: expect.stringContaining(hook) },
        });
        expect(pool.totalCount).toBe(0);
        await pool.end();
        answered.resolve();
        await new Promise(setImmediate);
        expect([pool.totalCount, pool.idleCount]).toEqual([0, 0]);
      } else {
        expect(await Promise.race([outcome, new Promise((resolve) => setTimeout(resolve, 2_200, "waits"))])).toBe("waits");
        answered.resolve();
        (await asked).release();
        await pool.end();
      }
    });
    await Promise.all(tried);
  },
  "more than 10,000 who wait": async (_, own) => {
    if (!own) return;
    const pool = open({ max: 1, maxWaiting: 1 });
    const client = await pool.connect();
    const waiting = pool.query("select 1");
    const error = await rejection(pool.query("select 1"));
    expect(error).toMatchObject({ code: "QUEUE_FULL", fate: "not-sent", retryable: true });
    expect(isWarmlineError(error)).toBe(true);
    client.release();
    await waiting;
    await pool.end();
  },
  "`idleTimeoutMillis` left out": async (make, own) => {
    expect(make().options.idleTimeoutMillis).toBe(own ? 30_000 : 10_000);
  },
  "`allowExitOnIdle` left out": async (make, own) => {
    expect(make().options.allowExitOnIdle).toBe(own);
  },
  "`keepAlive` left out": async (make, own) => {
    expect((make().options as { keepAlive?: boolean }).keepAlive ?? false).toBe(own);
  },
  "`application_name` left out": async (make, own) => {
    const pool = make();
    expect((await pool.query("show application_name")).rows).toEqual([{ application_name: own ? "warmline" : "" }]);
    await pool.end();
  },
  "`ssl` left out": async (_, own) => {
    const { ssl } = new (own ? WarmPool : pg.Pool)({ connectionString: "postgres://u:p@db.example.com/d" }).options;
    expect(ssl).toEqual(own ? { rejectUnauthorized: true } : undefined);
  },
  "host, user or database left out": async (_, own) => {
    vi.stubEnv("PGDATABASE", undefined);
    const make = () => new (own ? WarmPool : pg.Pool)({ host: "127.0.0.1", user: "somebody" });
    if (own) expect(make).toThrow("The setting database must be in the URL, the option database or PGDATABASE.");
    else expect(make).not.toThrow();
    vi.unstubAllEnvs();
  },
  "no `connectionString` at all": async (_, own) => {
    vi.stubEnv("DATABASE_URL", urlAt());
    expect(new (own ? WarmPool : pg.Pool)({}).options.database).toBe(own ? pieces().database : undefined);
    vi.unstubAllEnvs();
  },
  "an option beside the `connectionString` that says otherwise": async (_, own) => {
    const make = () => new (own ? WarmPool : pg.Pool)({ connectionString: urlAt(), database: "other" });
    if (own) expect(make).toThrow("The setting database must be left out: connectionString says it already.");
    else expect(make).not.toThrow();
  },
  "a `password` function beside a `connectionString` without one": async (_, own) => {
    const { password, ...rest } = pieces();
    const ask = vi.fn(() => password);
    const connectionString = `postgres://${rest.user}@${rest.host}:${rest.port}/${rest.database}`;
    const pool = new (own ? WarmPool : pg.Pool)({ connectionString, password: ask });
    const asked = pool.query("select 1").catch(() => {});
    await asked;
    expect(ask).toHaveBeenCalledTimes(own ? 1 : 0);
    await pool.end();
  },
  "an option or parameter that nobody knows": async (_, own) => {
    for (const options of [{ connectionString: urlAt(), maximum: 3 }, { connectionString: `${urlAt()}?maximum=3` }]) {
      const make = () => new (own ? WarmPool : pg.Pool)(options);
      if (own) expect(make).toThrow("known here");
      else expect(make).not.toThrow();
    }
  },
  "`sslmode=prefer`": async (_, own) => {
    const make = () => new (own ? WarmPool : pg.Pool)({ connectionString: `${urlAt()}?sslmode=prefer` });
    if (own) expect(make).toThrow("for allow and prefer, write require");
    else expect(make).not.toThrow();
  },
  "`Client`, `native`, `NODE_PG_FORCE_NATIVE`, `replication`, `pipeline`, another `client_encoding`": async (_, own) => {
    const make = () => new (own ? WarmPool : pg.Pool)({ connectionString: urlAt(), Client: pg.Client as never });
    if (own) expect(make).toThrow(/^The setting Client must be left out: .+\.$/);
    else expect(make).not.toThrow();
  },
  "`~/.pgpass`": async (_, own) => {
    if (!own) return;
    const { password: _password, ...rest } = pieces();
    const pool = new WarmPool(rest);
    expect(await rejection(pool.query("select 1"))).toMatchObject({ code: "MISSING_SETTING", fate: "not-sent" });
    await pool.end();
  },
  "`pool.options`": async (_, own) => {
    const pool = new (own ? WarmPool : pg.Pool)({ connectionString: urlAt() });
    expect(inspect(pool.options).includes(pieces().password)).toBe(!own);
    expect(pool.options).toMatchObject(own ? { host: pieces().host, database: pieces().database } : { connectionString: urlAt() });
    await pool.end();
  },
  "`log`": async (make, own) => {
    const messages: unknown[] = [];
    const pool = make({ log: (message) => messages.push(message) });
    await pool.query("select 1");
    expect(messages.includes("dispatching query")).toBe(!own);
    await pool.end();
  },
  "an error": async (make, own) => {
    const pool = make({ max: 1 });
    const error = await rejection(pool.query("select 1 / 0"));
    expect(["fate" in error, "retryable" in error]).toEqual([own, own]);
    await pool.end();
  },
};

test("every difference that is documented is held by a test, and no other", () => {
  expect(rows).toEqual(Object.keys(differences));
});

describe.each(pools)("in %s", (kind, make) => {
  test.each(Object.entries(differences))("%s", (_, holds) => holds(make, kind !== "pg.Pool"));
});

test("none of it costs a backend", async () => {
  const pool = open({ max: 2, applicationName: "drop-in differences" });
  await Promise.all([pool.query("select 1"), pool.query("select 2")]);
  await pool.end();
  await using direct = await openDirect();
  expect((await direct.query("select 1 from pg_stat_activity where application_name = 'drop-in differences'")).rowCount).toBe(0);
});
