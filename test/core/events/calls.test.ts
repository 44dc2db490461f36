import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test, vi } from "vitest";
import { createDatabase, type DatabaseEvent, type QueryEvent, type RowStream, sql } from "../../../src/entry/node.ts";
import { eventsOf, failureOf, openPool, until } from "../databases.ts";

const secret = "canary-value";

describe("a call that ends is told", () => {
  test("with its text, and without its values", async () => {
    await using db = openPool();
    const told = eventsOf(db, "query");
    const before = Date.now();
    const { via } = await db.query("select $1::text as value from generate_series(1, 3)", [secret]);
    expect(told).toEqual([
      {
        type: "query",
        operation: "query",
        within: null,
        texts: ["select $1::text as value from generate_series(1, 3)"],
        startedAt: expect.any(Number),
        durationMs: expect.any(Number),
        failure: null,
        attempts: 1,
        via,
        rowCount: 3,
        returnedRows: 3,
      } satisfies QueryEvent,
    ]);
    const [{ startedAt, durationMs } = { startedAt: 0, durationMs: 0 }] = told;
    expect(startedAt).toBeGreaterThanOrEqual(before);
    expect(durationMs).toBeGreaterThan(0);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  test("as a batch with all its texts and rows", async () => {
    await using db = openPool();
    const told = eventsOf(db, "query");
    await db.batch([sql`select 1`, sql`select ${secret}::text from generate_series(1, 2)`]);
    expect(told).toMatchObject([{ operation: "batch", texts: ["select 1", expect.stringContaining("$1::text")], rowCount: 3 }]);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  test("under settings with its own texts, and without what it was put under", async () => {
    await using db = openPool();
    const told = eventsOf(db, "query");
    const retried = eventsOf(db, "retry");
    const view = db.with({ settings: { "app.tenant": secret }, role: "pg_monitor" });
    await view.query("select 1 as n");
    await view.batch([sql`select 1`, sql`select 2`]);
    await view.transaction((tx) => tx.sql`select 3`);
    await failureOf(view.query("select current_setting('app.tenant')::int"));
    await failureOf(db.with({ role: secret }).query("select 4"));
    expect(told.map(({ operation, texts, rowCount, failure }) => [operation, texts, rowCount, failure?.code])).toEqual([
      ["query", ["select 1 as n"], 1, undefined],
      ["batch", ["select 1", "select 2"], 2, undefined],
      ["query", ["select 3"], 1, undefined],
      ["transaction", [], null, undefined],
      ["query", ["select current_setting('app.tenant')::int"], null, "22P02"],
      ["query", ["select 4"], null, "22023"],
    ]);
    expect(retried).toEqual([]);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  test("as a transaction, after each statement in it", async () => {
    await using db = openPool();
    const told = eventsOf(db, "query");
    await db.transaction(async (tx) => {
      await tx.sql`select 1`;
      await tx.transaction((inner) => inner.sql`select 2`);
    });
    await db.session((session) => session.sql`select 3`);
    await db.session(async (session) => {
      await session.batch([sql`select 4`, sql`select 5`]);
      await session.transaction((tx) => tx.batch([sql`select 6`, sql`select 7`]));
    });
    await db.script("select 8; select 9");
    expect(told.map(({ operation, within, texts }) => [operation, within, ...texts])).toEqual([
      ["query", "transaction", "select 1"],
      ["query", "transaction", "select 2"],
      ["transaction", null],
      ["query", "session", "select 3"],
      ["session", null],
      ["batch", "session", "select 4", "select 5"],
      ["batch", "transaction", "select 6", "select 7"],
      ["transaction", "session"],
      ["session", null],
      ["script", null],
    ]);
  });

  test.each<[string, (stream: RowStream) => Promise<unknown>]>([
    [
      "left before the first rows came",
      async (stream) => {
        const rows = stream[Symbol.asyncIterator]();
        const asked = rows.next();
        await rows.return?.();
        expect(await asked).toEqual({ value: undefined, done: true });
      },
    ],
    ["asked for the first rows, and did not wait for them", async (stream) => void stream.batches().next()],
  ])("as a stream whose reader %s", async (_, read) => {
    await using db = openPool();
    const told = eventsOf(db, "query");
    await db.transaction((tx) => read(tx.stream("select 1")));
    await db.session(async (session) => {
      await session.query("begin");
      await read(session.stream("select 2"));
    });
    const streams = () => told.filter(({ operation }) => operation === "stream");
    await until(() => streams().length === 2);
    expect(streams().map(({ within, texts, failure, returnedRows }) => [within, ...texts, failure, returnedRows])).toEqual([
      ["transaction", "select 1", null, 1],
      ["session", "select 2", null, 1],
    ]);
  });

  test("as a failure with its code, its fate and what the server said", async () => {
    await using db = openPool();
    const told = eventsOf(db, "query");
    await failureOf(db.query("select $1::int", [secret]));
    await failureOf(db.query(`select '${secret}',\n  nothing from products`));
    await db.transaction(() => Promise.reject(new RangeError(secret))).catch(() => {});
    await failureOf(db.query("select 1", [], { signal: AbortSignal.abort() }));
    expect(told.map(({ failure, attempts, via, rowCount }) => [failure, attempts, via, rowCount])).toEqual([
      [
        { code: "22P02", fate: "refused", sqlState: "22P02", message: expect.stringContaining("invalid input"), excerpt: null },
        1,
        null,
        null,
      ],
      [
        {
          code: "42P01",
          fate: "refused",
          sqlState: "42P01",
          message: expect.stringContaining('"products" does not exist'),
          excerpt: "      nothing from products\n                   ^",
        },
        1,
        null,
        null,
      ],
      [{ code: "RangeError", fate: null, sqlState: null, message: null, excerpt: null }, 1, null, null],
      [{ code: "ABORTED", fate: "not-sent", sqlState: null, message: expect.any(String), excerpt: null }, 0, null, null],
    ]);
    expect(JSON.stringify(told.map(({ failure }) => failure))).not.toContain(secret);
  });

  test("with its attempts, each repetition told before", async () => {
    await using db = createDatabase({ url: "postgres://u@127.0.0.1:1/d", name: "events retry" });
    const events: DatabaseEvent[] = [];
    db.subscribe((event) => events.push(event));
    await failureOf(db.query("select 1"));
    const retries = events.filter(({ type }) => type === "retry");
    expect(retries).toMatchObject([1, 2, 3, 4].map((attempt) => ({ code: "CONNECT_FAILED", fate: "not-sent", attempt })));
    expect(events.at(-1)).toMatchObject({ type: "query", attempts: 5, failure: { code: "CONNECT_FAILED", fate: "not-sent" } });
  });

  test("in the async context of its caller", async () => {
    const caller = new AsyncLocalStorage<string>();
    await using db = openPool({ max: 1 });
    const seen: unknown[] = [];
    db.subscribe((event) => {
      if (event.type === "query") seen.push([event.texts[0] ?? event.operation, caller.getStore()]);
    });
    await Promise.all(["a", "b", "c"].map((name) => caller.run(name, () => db.query(`select '${name}'`))));
    await caller.run("d", () => db.transaction((tx) => tx.query("select 'd'")));
    expect(seen.sort()).toEqual([
      ["select 'a'", "a"],
      ["select 'b'", "b"],
      ["select 'c'", "c"],
      ["select 'd'", "d"],
      ["transaction", "d"],
    ]);
  });

  test("as slow when it takes slowQueryMs or longer", async () => {
    await using db = openPool({ slowQueryMs: 200 });
    const slow = eventsOf(db, "slow");
    const texts = ["select pg_sleep(0.3)"];
    await db.query("select 1");
    await db.query("select pg_sleep(0.3)");
    await db.transaction((tx) => tx.query("select pg_sleep(0.3)"));
    expect(slow.filter(({ texts: [text] }) => text?.includes("sleep"))).toMatchObject([
      { operation: "query", within: null, texts },
      { operation: "query", within: "transaction", texts },
    ]);
    expect(slow.every(({ durationMs }) => durationMs >= 200)).toBe(true);
  });
});

describe("a listener", () => {
  test("is told of nothing after it has left", async () => {
    await using db = openPool();
    const listener = vi.fn();
    const leave = db.subscribe(listener);
    db.subscribe(listener);
    await db.query("select 1");
    expect(listener.mock.calls.filter(([{ type }]) => type === "query")).toHaveLength(1);
    leave();
    await db.query("select 2");
    expect(listener.mock.calls.filter(([{ type }]) => type === "query")).toHaveLength(1);
  });

  test("is told of nothing that came before it was added, when another adds it", async () => {
    await using db = openPool();
    await db.query("select 1");
    const types: string[] = [];
    const hearOnce = () => {
      const leave = db.subscribe(({ type }) => {
        leave();
        types.push(type);
        if (types.length < 50) hearOnce();
      });
    };
    hearOnce();
    await db.query("select 2");
    expect(types).toEqual(["reuse", "query"]);
  });

  test("fails no call when it throws or rejects, and is told of once", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    try {
      await using db = openPool();
      const after = vi.fn();
      db.subscribe(() => {
        throw new RangeError(secret);
      });
      db.subscribe(async () => Promise.reject(new TypeError(secret)));
      db.subscribe(after);
      expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      await failureOf(db.query("select nothing"));
      expect(after.mock.calls.filter(([{ type }]) => type === "query")).toHaveLength(2);
      expect(warn.mock.calls).toEqual([["warmline: A listener of db.subscribe threw RangeError. Said once."]]);
    } finally {
      warn.mockRestore();
    }
  });
});
