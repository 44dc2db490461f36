import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { createDatabase, type DatabaseOptions, type WarmlineError } from "../../../src/entry/node.ts";
import { WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { waysToFail, waysToThrow } from "../../support/ways-to-throw.ts";
import { failureOf, openDirect, openPool, pgFailureOf, until, urlAt } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";

const applicationName = "core-foreign-hooks";
let direct: Awaited<ReturnType<typeof openDirect>>;
let endpoint: Endpoint;
beforeAll(async () => {
  direct = await openDirect();
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
});
afterAll(async () => {
  await endpoint.stop();
  await direct.end();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

const backends = async () => (await direct.query("select 1 from pg_stat_activity where application_name = $1", [applicationName])).rowCount;
const openHttp = (options: DatabaseOptions = {}) => openPool({ transport: "http", endpoint: endpoint.url, ...options });

function tellsNothing({ message, stack }: WarmlineError): void {
  expect(`${message} ${stack}`).not.toContain("canary");
}

test.each(waysToThrow)("settings that throw when they are read are told as such: $title", ({ run }) => {
  const getter = Object.defineProperty({}, "max", { get: run, enumerable: true });
  for (const options of [getter, new Proxy({}, { ownKeys: run })]) {
    let thrown: unknown;
    try {
      createDatabase(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: "ConfigError", code: "INVALID_SETTING", setting: "options" });
  }
});

describe("onPool", () => {
  test.each(waysToThrow)("that throws fails the call, and is asked again by the next: $title", async ({ run }) => {
    let fails = 2;
    const shown: unknown[] = [];
    await using db = openPool({ applicationName, onPool: (pool) => (fails-- > 0 ? run() : shown.push(pool)) });
    for (let call = 0; call < 2; call++) {
      const error = await failureOf(db.query("select 1"));
      expect(error).toMatchObject({ name: "ConfigError", code: "INVALID_SETTING", setting: "onPool", fate: "not-sent" });
      tellsNothing(error);
    }
    expect([shown.length, db.stats().running, await backends()]).toEqual([0, 0, 0]);
    expect((await db.query("select 1")).rowCount).toBe(1);
    expect([shown.length, db.stats().total]).toEqual([1, 1]);
  });

  test.each(waysToThrow)("that rejects later is told once, and fails nothing: $title", async ({ what }) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using db = openPool({ onPool: (() => Promise.reject(what)) as never });
    expect((await db.query("select 1")).rowCount).toBe(1);
    await until(() => warn.mock.calls.length > 0);
    expect(warn.mock.calls.flat().join()).toMatch(/^warmline: onPool rejected with \w+\.$/);
  });

  test("that throws when a pool takes the place of one that was ended fails the call, and is asked again by the next", async () => {
    const shown: { end(): Promise<void> }[] = [];
    let fails = false;
    await using db = openPool({
      onPool(pool) {
        if (fails) throw null;
        shown.push(pool as never);
      },
    });
    expect((await db.query("select 1")).rowCount).toBe(1);
    await shown[0]?.end();
    fails = true;
    for (let call = 0; call < 2; call++) expect(await failureOf(db.query("select 1"))).toMatchObject({ setting: "onPool" });
    fails = false;
    expect((await db.query("select 1")).rowCount).toBe(1);
    expect(shown).toHaveLength(2);
  });

  test("of a pool by itself that throws is told as a setting", () => {
    for (const { run } of waysToThrow) expect(() => new WarmPool({ url: urlAt(), onPool: run })).toThrow("The setting onPool must be");
  });
});

describe.each([
  ["a pool", (options: DatabaseOptions) => openPool({ applicationName, ...options })],
  ["HTTP", openHttp],
  ["a request", (options: DatabaseOptions) => openRequest({ applicationName, ...options })],
] as const)("a password function, over %s,", (_, open) => {
  // at once: each is asked again, after a pause
  test.concurrent.each(waysToFail)("that fails is told by its kind alone: $title", async ({ run }) => {
    let fails = true;
    await using db = open({ password: () => (fails ? run() : new URL(urlAt()).password) });
    const error = await failureOf(db.query("select 1", [], { deadlineMs: 2_000 }));
    expect(error).toMatchObject({ name: "ConnectionError", code: "PASSWORD_FAILED", fate: "not-sent" });
    tellsNothing(error);
    fails = false;
    expect((await db.query("select 1")).rowCount).toBe(1);
  });
});

test.concurrent.each(waysToFail)(
  "a password function that fails before a session over WebSocket is told by its kind: $title",
  async ({ run }) => {
    await using db = openHttp({ password: run, max: 1 });
    const error = await failureOf(db.session((session) => session.query("select 1"), { deadlineMs: 2_000 }));
    expect(error).toMatchObject({ code: "PASSWORD_FAILED", fate: "not-sent" });
  },
);

describe("what a pool's options have called for a new connection", () => {
  const never = () => new Promise<never>(() => {});
  const open = (options: WarmPoolOptions) => new WarmPool({ url: urlAt(), max: 1, connectTimeoutMs: 200, ...options });
  const late = { code: "CONNECT_TIMEOUT", fate: "not-sent", message: "Connection terminated due to connection timeout" };

  test.each<[string, (pool: () => WarmPool) => WarmPoolOptions]>([
    ["an onConnect that never ends", () => ({ onConnect: never })],
    ["an onConnect that ends its pool, which waits for it", (pool) => ({ onConnect: () => pool().end() })],
    ["an onConnect whose statement is slow", () => ({ onConnect: (client) => client.query("select pg_sleep(5)") as never })],
    ["a verify that never answers", () => ({ verify: () => {} })],
  ])("is a part of opening it, and takes no longer: %s", async (_, options) => {
    const pool: WarmPool = open(options(() => pool));
    expect(await pgFailureOf(pool.query("select 1"))).toMatchObject(late);
    if (!pool.ending) await pool.end();
    await until(() => pool.ended);
    expect([pool.totalCount, pool.waitingCount]).toEqual([0, 0]);
  });

  test("a verify that throws refuses its connection, and one that answers twice answers once", async () => {
    let times = 0;
    const pool = open({
      verify(_, done) {
        if (++times === 1) throw new RangeError("nope");
        done();
        done(new Error("twice"));
      },
    });
    await expect(pool.query("select 1")).rejects.toThrow(RangeError);
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("a connection that is lost behind it is told, and not replaced for ever", async () => {
    let times = 0;
    const pool = open({
      async onConnect(client) {
        times++;
        await (client as Client).end();
      },
    });
    expect(await pgFailureOf(pool.query("select 1"))).toMatchObject({ code: "CONNECTION_LOST", fate: "not-sent" });
    expect(times).toBeLessThanOrEqual(5);
    await pool.end();
  });

  test.each(waysToThrow)("a log that throws is heard by nobody: $title", async ({ run }) => {
    const pool = open({ log: run as never });
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("a stream that is none fails its call, and leaves nothing in the pool", async () => {
    const pool = open({ stream: () => undefined as never });
    await expect(pool.query("select 1")).rejects.toThrow(TypeError);
    expect(pool.totalCount).toBe(0);
    await pool.end();
  });
});

describe("waitUntil", () => {
  test.each(waysToThrow)("that throws fails the call before anything is opened: $title", async ({ run }) => {
    await using db = openRequest({ applicationName });
    await db.scope({ waitUntil: run }, async () => {
      for (const call of [() => db.query("select 1"), () => db.transaction((tx) => tx.query("select 1"))]) {
        const error = await failureOf(call());
        expect(error).toMatchObject({ name: "UsageError", code: "WAIT_UNTIL_FAILED", fate: "not-sent" });
        tellsNothing(error);
      }
      expect([db.stats().total, db.stats().running, await backends()]).toEqual([0, 0, 0]);
    });
    expect((await db.scope({ waitUntil: () => {} }, () => db.query("select 1"))).rowCount).toBe(1);
    await until(async () => (await backends()) === 0);
  });

  test.each(waysToThrow)("that rejects later fails nothing: $title", async ({ what }) => {
    await using db = openRequest({ applicationName });
    const waitUntil = () => Promise.reject(what) as never;
    expect((await db.scope({ waitUntil }, () => db.query("select 1"))).rowCount).toBe(1);
    await until(async () => (await backends()) === 0);
  });

  test.each([undefined, null, 5])("a scope of %s instead of a request's ctx is refused by name", async (context) => {
    await using db = openRequest();
    const open = () => db.scope(context as never, () => db.sql`select 1`);
    expect(open).toThrow(expect.objectContaining({ name: "UsageError", code: "INVALID_OPTION", message: expect.stringContaining("ctx") }));
  });

  test("is not asked to wait for a connection whose settings cannot be read", async () => {
    const waited: Promise<unknown>[] = [];
    await using db = openRequest({ applicationName, target: "hyperdrive" });
    await db.scope({ waitUntil: (promise) => void waited.push(promise) }, async () => {
      await db.query("select 1", [], { cache: "bypass" }).catch(() => {});
      expect(waited).toHaveLength(1);
    });
    await Promise.all(waited);
  });
});

test.each(waysToThrow)("a console that throws at a warning fails no call: $title", async ({ run }) => {
  vi.spyOn(console, "warn").mockImplementation(run);
  await using db = openPool({ applicationName, sslMode: "disable" });
  const stop = db.subscribe(run);
  expect((await db.query("select 1")).rowCount).toBe(1);
  stop();
  await using other = openPool({ onPool: (() => Promise.reject(new Error("later"))) as never });
  expect((await other.query("select 1")).rowCount).toBe(1);
});

test.each(waysToFail)("a fetch that fails with whatever it likes leaves the fate unknown: $title", async ({ run }) => {
  vi.stubEnv("NODE_USE_ENV_PROXY", "1");
  await using db = openHttp();
  expect((await db.query("select 1")).rowCount).toBe(1);
  vi.stubGlobal("fetch", run);
  const error = await failureOf(db.query("select 1"));
  expect(error).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
  tellsNothing(error);
  vi.unstubAllGlobals();
  expect((await db.query("select 1")).rowCount).toBe(1);
});

test.each(waysToThrow)("a WebSocket that cannot be made is a connection that failed: $title", async ({ run }) => {
  await using db = openHttp();
  const session = () => db.session((held) => held.query("select 1"), { deadlineMs: 2_000 });
  vi.stubGlobal(
    "WebSocket",
    class {
      constructor() {
        run();
      }
    },
  );
  const error = await failureOf(session());
  expect(error).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent" });
  tellsNothing(error);
  vi.unstubAllGlobals();
  // five failures may have opened the breaker
  await until(() =>
    session().then(
      () => true,
      () => false,
    ),
  );
});

test.each(waysToThrow)("a fallback hands on what it throws: $title", async ({ run, what }) => {
  await using db = openPool({ url: urlAt({ port: 1 }), deadlineMs: 300 });
  const ended = await db.query("select 1", [], { readOnly: true, fallback: run }).catch((error: unknown) => ({ error }));
  expect(Object.is((ended as { error: unknown }).error, what)).toBe(true);
});

test.each([undefined, null, "rows", 5, {}, new Set([{}])])("a fallback that gives no list of rows is refused: %o", async (given) => {
  await using db = openPool({ url: urlAt({ port: 1 }), deadlineMs: 300 });
  const call = db.query("select 1", [], { readOnly: true, fallback: (() => given) as never });
  expect(await failureOf(call)).toMatchObject({ name: "UsageError", code: "INVALID_OPTION" });
});
