import { AsyncLocalStorage } from "node:async_hooks";
import { channel, type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import { afterEach, describe, expect, test } from "vitest";
import type { ReleaseMessage, Streams, TracingMessages } from "../../src/entry/node.ts";
import { createDatabase, sql } from "../../src/entry/node.ts";
import { failureOf, openPool, until, urlAt } from "../core/databases.ts";

const secret = "canary-of-a-value";
const events = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
type Name = keyof TracingMessages;
type Heard<N extends Name> = readonly [event: (typeof events)[number], message: TracingMessages[N]];

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** What a channel publishes from now on, to the end of the test. */
function hear<N extends Name>(name: N): Heard<N>[] {
  const heard: Heard<N>[] = [];
  for (const event of events) {
    const listen = (message: unknown) => void heard.push([event, message as TracingMessages[N]]);
    const told = channel(`tracing:${name}:${event}`);
    told.subscribe(listen);
    stops.push(() => void told.unsubscribe(listen));
  }
  return heard;
}

const eventsOf = (heard: readonly Heard<Name>[]) => heard.map(([event]) => event);
const ended = <N extends Name>(heard: readonly Heard<N>[]): TracingMessages[N][] =>
  heard.filter(([event]) => event === "asyncEnd").map(([, message]) => message);

describe("warmline:query", () => {
  test("tells of a query in the order of a tracing channel, with one message for all of it", async () => {
    await using db = openPool();
    const heard = hear("warmline:query");
    const { via } = await db.query("select $1::text as value from generate_series(1, 3)", [secret]);
    expect(eventsOf(heard)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(new Set(heard.map(([, message]) => message)).size).toBe(1);
    const { host, port, database } = db.plan.server;
    expect({ ...heard[0]?.[1] }).toEqual({
      serverAddress: host,
      serverPort: port,
      database,
      transport: "pool",
      target: "postgres",
      runtime: "node",
      operation: "query",
      within: null,
      texts: ["select $1::text as value from generate_series(1, 3)"],
      connectionId: via.connectionId,
      reused: false,
      roundTrips: 1,
      retries: 0,
      rowCount: 3,
      returnedRows: 3,
      code: null,
      fate: null,
      sqlState: null,
    });
  });

  test("tells of a failure with what the caller gets, and the server's code", async () => {
    await using db = openPool();
    const heard = hear("warmline:query");
    const failure = await failureOf(db.query("select $1::int", [secret]));
    expect(eventsOf(heard)).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
    expect(heard[0]?.[1]).toMatchObject({ code: "22P02", fate: "refused", sqlState: "22P02", roundTrips: 1, rowCount: null });
    expect(heard[0]?.[1].error).toBe(failure);
  });

  test("never holds a value, whatever fails, nor a row", async () => {
    await using db = openPool();
    const heard = [hear("warmline:query"), hear("warmline:transaction"), hear("warmline:acquire"), hear("warmline:connect")];
    await db.query(sql`select ${secret}::text as value`);
    await failureOf(db.query(sql`select ${secret}::int`));
    await db.transaction((tx) => tx.query(sql`select ${secret}::text`));
    await failureOf(db.batch([sql`select ${secret}::text`, sql`select ${secret}::date`]));
    const messages = heard.flatMap((one) => one.map(([, message]) => message));
    expect(messages.length).toBeGreaterThan(20);
    for (const message of messages) expect(JSON.stringify([message, String(message.error)])).not.toContain(secret);
  });

  test("tells of a batch, a script and a stream as one each", async () => {
    await using db = openPool();
    const heard = hear("warmline:query");
    await db.batch([sql`select 1`, sql`select 2 from generate_series(1, 4)`]);
    await db.script("select 1; select 2");
    for await (const _ of db.stream("select generate_series(1, 5) as n", [], { batchSize: 2 }));
    expect(
      ended(heard).map(({ operation, texts, roundTrips, returnedRows }) => [operation, texts.length, roundTrips, returnedRows]),
    ).toEqual([
      ["batch", 2, 1, 5],
      ["script", 0, 1, null],
      ["stream", 1, 4, 5],
    ]);
  });

  test("counts repetitions, and not what was never sent as a round trip", async () => {
    await using db = createDatabase({ url: `postgres://someone@127.0.0.1:1/nowhere`, transport: "pool", deadlineMs: 400 });
    const heard = hear("warmline:query");
    const { code } = await failureOf(db.query("select 1"));
    expect(ended(heard)).toMatchObject([{ code, fate: "not-sent", roundTrips: 0, connectionId: null, serverPort: 1 }]);
    expect(ended(heard)[0]?.retries).toBeGreaterThan(0);
  });
});

describe("a subscriber that calls a database at once, when it is told", () => {
  test.each(["start", "end", "asyncStart", "asyncEnd"] as const)("of %s hears nothing of that call, which is answered", async (event) => {
    await using db = openPool({ max: 2 });
    const own: Promise<unknown>[] = [];
    const heard: string[] = [];
    const listen = (message: unknown) => {
      heard.push(...(message as TracingMessages["warmline:query"]).texts);
      if (heard.length < 20) own.push(db.sql`select ${heard.length}::int as told`);
    };
    const told = channel(`tracing:warmline:query:${event}`);
    told.subscribe(listen);
    stops.push(() => void told.unsubscribe(listen));
    expect(await db.sql`select 0 as first`).toEqual([{ first: 0 }]);
    await failureOf(db.query("select 1 / 0"));
    expect(await Promise.all(own)).toEqual([[{ told: 1 }], [{ told: 2 }]]);
    expect(heard).toEqual(["select 0 as first", "select 1 / 0"]);
  });

  test("of a connection that is asked for, hears nothing of its own", async () => {
    await using db = openPool({ max: 2 });
    const heard = hear("warmline:acquire");
    const own: Promise<unknown>[] = [];
    const listen = () => void (own.length < 20 && own.push(db.sql`select 2 as own`));
    const told = channel("tracing:warmline:acquire:start");
    told.subscribe(listen);
    stops.push(() => void told.unsubscribe(listen));
    await db.query("select 1");
    await Promise.all(own);
    expect(own).toHaveLength(1);
    expect(ended(heard)).toHaveLength(1);
  });
});

describe("warmline:transaction and warmline:session", () => {
  test("tell of what lies around queries, which say what they are within, and count what goes to the server", async () => {
    await using db = openPool();
    const [transactions, sessions, queries] = [hear("warmline:transaction"), hear("warmline:session"), hear("warmline:query")];
    await db.transaction(async (tx) => {
      await tx.query("select 1");
      await tx.query("select 2");
    });
    await db.session(async (session) => {
      await session.query("select 3");
      await session.transaction((tx) => tx.query("select 4"));
    });
    expect(ended(transactions)).toMatchObject([
      { operation: "transaction", within: null, roundTrips: 3, retries: 0, reused: false },
      { operation: "transaction", within: "session", roundTrips: 2 },
    ]);
    expect(ended(sessions)).toMatchObject([{ operation: "session", within: null, roundTrips: 3, reused: true }]);
    expect(ended(queries).map(({ within, roundTrips }) => [within, roundTrips])).toEqual([
      ["transaction", 1],
      ["transaction", 1],
      ["session", 1],
      ["transaction", 1],
    ]);
    const [first] = ended(transactions);
    expect(first?.connectionId).toBe(ended(queries)[0]?.connectionId);
  });

  test.each(["transaction", "session"] as const)("end with a %s what was still read in it, and before it", async (within) => {
    await using db = openPool();
    const [queries, wholes] = [hear("warmline:query"), hear(`warmline:${within}`)];
    const told: unknown[] = [];
    db.subscribe((event) => event.type === "query" && told.push([event.operation, event.returnedRows]));
    const text = "select generate_series(1, 100) as n";
    const read = async (streams: Pick<Streams, "stream">) => void (await streams.stream(text, [], { batchSize: 5 }).batches().next());
    for (const fails of [false, true]) {
      const after = () => (fails ? Promise.reject(new RangeError()) : Promise.resolve());
      const whole =
        within === "transaction"
          ? db.transaction((tx) => read(tx).then(after))
          : db.session(async (session) => {
              await session.query("begin");
              await read(session);
              await after();
            });
      await whole.catch(() => {});
    }
    const streams = queries.filter(([, { operation }]) => operation === "stream");
    expect(eventsOf(streams)).toEqual(["start", "end", "asyncStart", "asyncEnd", "start", "end", "asyncStart", "asyncEnd"]);
    expect(ended(streams)).toMatchObject([{ returnedRows: 5, code: null }, { returnedRows: 5 }]);
    expect(ended(wholes)).toHaveLength(2);
    expect(told.filter((one) => (one as string[])[0] !== "query")).toEqual([
      ["stream", 5],
      [within, null],
      ["stream", 5],
      [within, null],
    ]);
  });

  test("tell of what the callback threw, by its name alone", async () => {
    await using db = openPool();
    const heard = hear("warmline:transaction");
    const own = new RangeError(secret);
    await expect(db.transaction(() => Promise.reject(own))).rejects.toBe(own);
    expect(ended(heard)).toMatchObject([{ code: "RangeError", fate: null, sqlState: null, error: own }]);
  });
});

describe("warmline:connect, warmline:acquire and warmline:release", () => {
  test("tell of a connection on its way to a call and back", async () => {
    await using db = openPool();
    const [connects, acquires] = [hear("warmline:connect"), hear("warmline:acquire")];
    const released: ReleaseMessage[] = [];
    const listen = (message: unknown) => void released.push(message as ReleaseMessage);
    channel("warmline:release").subscribe(listen);
    stops.push(() => void channel("warmline:release").unsubscribe(listen));
    const { via } = await db.query("select 1");
    await db.query("select 2");
    expect(ended(connects)).toMatchObject([{ transport: "pool", connectionId: via.connectionId, code: null }]);
    expect(ended(acquires).map(({ connectionId }) => connectionId)).toEqual([via.connectionId, via.connectionId]);
    expect(released).toMatchObject([{ connectionId: via.connectionId }, { connectionId: via.connectionId }]);
    expect(released[0]?.usedMs).toBeGreaterThan(0);
  });

  test("tell of a connection that cannot be had", async () => {
    await using db = createDatabase({ url: `postgres://someone:${secret}@127.0.0.1:1/nowhere`, transport: "pool", deadlineMs: 100 });
    const [connects, acquires] = [hear("warmline:connect"), hear("warmline:acquire")];
    await failureOf(db.query("select 1"));
    expect(eventsOf(connects).slice(0, 5)).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
    for (const message of [...ended(connects), ...ended(acquires)]) {
      expect(message).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/), fate: "not-sent", connectionId: null });
    }
    expect(JSON.stringify([connects, acquires])).not.toContain(secret);
  });

  test("tell of a call that waited in vain, or went along with others", async () => {
    await using db = openPool({ max: 1, acquireTimeoutMs: 50, pipelining: false });
    const heard = hear("warmline:acquire");
    await db.session(async () => {
      expect(await failureOf(db.query("select 1").then(undefined, (error) => Promise.reject(error)))).toMatchObject({
        code: "NESTED_QUERY",
      });
    });
    const held = await db.session();
    expect(await failureOf(db.query("select 1"))).toMatchObject({ code: "ACQUIRE_TIMEOUT" });
    await held.release();
    expect(ended(heard).map(({ code }) => code)).toContain("ACQUIRE_TIMEOUT");
  });
});

describe("a store that is bound", () => {
  /** Binds a number to a channel's start, one more for every message, and tells the parent of each. */
  function bind(
    names: readonly Name[],
    store: AsyncLocalStorage<number>,
  ): Map<number, { readonly parent: number | undefined; readonly message: object }> {
    const spans = new Map<number, { readonly parent: number | undefined; readonly message: object }>();
    for (const name of names) {
      const { start } = tracingChannel(name) as TracingChannel<number>;
      start.bindStore(store, (message: object) => {
        const id = spans.size + 1;
        spans.set(id, { parent: store.getStore(), message });
        return id;
      });
      stops.push(() => void start.unbindStore(store));
    }
    return spans;
  }

  test("is there for what follows, and makes a query the child of its transaction", async () => {
    await using db = openPool();
    const store = new AsyncLocalStorage<number>();
    const spans = bind(["warmline:transaction", "warmline:query", "warmline:acquire", "warmline:connect"], store);
    const seen: (number | undefined)[] = [];
    const listen = () => void seen.push(store.getStore());
    const end = channel("tracing:warmline:query:asyncEnd");
    end.subscribe(listen);
    stops.push(() => void end.unsubscribe(listen));
    await db.transaction(async (tx) => {
      seen.push(store.getStore());
      await tx.query("select 1");
      seen.push(store.getStore());
    });
    // the transaction, asking for a connection, opening it; then its query
    expect([...spans.values()].map(({ parent }) => parent)).toEqual([undefined, 1, 2, 1]);
    expect(seen).toEqual([1, 4, 1]);
    expect(store.getStore()).toBeUndefined();
  });

  test("belongs to each of many calls that wait for one connection, and to one that is given up by somebody else", async () => {
    await using db = openPool({ max: 1, pipelining: false });
    const store = new AsyncLocalStorage<number>();
    const spans = bind(["warmline:query", "warmline:acquire"], store);
    const ends: (readonly [number | undefined, object])[] = [];
    for (const name of ["warmline:query", "warmline:acquire"]) {
      const end = channel(`tracing:${name}:asyncEnd`);
      const listen = (message: unknown) => void ends.push([store.getStore(), message as object]);
      end.subscribe(listen);
      stops.push(() => void end.unsubscribe(listen));
    }
    await Promise.all(Array.from({ length: 6 }, (_, n) => db.query("select $1::int", [n])));
    const aborting = new AbortController();
    const held = await db.session();
    const waiting = failureOf(db.query("select 1", [], { signal: aborting.signal }));
    await until(() => db.stats().waiting === 1);
    aborting.abort();
    expect(await waiting).toMatchObject({ code: "ABORTED" });
    await held.release();
    // the session has an acquire of its own
    expect(ends).toHaveLength(15);
    for (const [id, message] of ends) expect(spans.get(id ?? 0)?.message).toBe(message);
  });

  test("may be a function around the call, too", async () => {
    await using db = openPool();
    const [store, another] = [new AsyncLocalStorage<string>(), new AsyncLocalStorage<string>()];
    const start = channel("tracing:warmline:transaction:start");
    const listen = (message: unknown) => {
      const { runIn } = message as TracingMessages["warmline:transaction"];
      runIn.call(message, (run) => store.run("inside", run));
      runIn.call(message, (run) => another.run("as well", run));
    };
    start.subscribe(listen);
    stops.push(() => void start.unsubscribe(listen));
    expect(await db.transaction(async () => [store.getStore(), another.getStore()])).toEqual(["inside", "as well"]);
  });
});

describe("a subscriber", () => {
  test("that throws breaks no call: the process is told, as of whatever else nobody caught", async () => {
    await using db = openPool();
    const told: unknown[] = [];
    const uncaught = ["uncaughtException", "unhandledRejection"] as const;
    const others = uncaught.map((event) => [event, process.listeners(event as "uncaughtException")] as const);
    const catchIt = (error: unknown) => void told.push((error as Error).message);
    for (const event of uncaught) process.removeAllListeners(event).on(event, catchIt);
    try {
      const failing = channel("tracing:warmline:query:start");
      const fail = () => {
        throw new Error("of the subscriber");
      };
      failing.subscribe(fail);
      stops.push(() => void failing.unsubscribe(fail));
      const wrapping = (message: unknown) =>
        (message as TracingMessages["warmline:query"]).runIn(() => {
          throw new Error("of what was put around it");
        });
      failing.subscribe(wrapping);
      stops.push(() => void failing.unsubscribe(wrapping));
      const { start } = tracingChannel("warmline:query");
      const store = new AsyncLocalStorage<unknown>();
      start.bindStore(store, fail);
      stops.push(() => void start.unbindStore(store));
      expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      await new Promise(setImmediate);
      expect(told.toSorted()).toEqual(["of the subscriber", "of the subscriber", "of what was put around it"]);
    } finally {
      for (const [event, listeners] of others) {
        process.off(event, catchIt);
        for (const listener of listeners) process.on(event, listener as () => void);
      }
    }
  });

  test("that freezes what it hears breaks no call", async () => {
    await using db = openPool({ max: 1 });
    for (const name of ["query", "transaction", "session", "acquire", "connect"]) {
      const start = channel(`tracing:warmline:${name}:start`);
      start.subscribe(Object.freeze);
      stops.push(() => void start.unsubscribe(Object.freeze));
    }
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(await failureOf(db.query("selec"))).toMatchObject({ code: "42601" });
    expect((await db.transaction((tx) => tx.query("select 1 as one"))).rows).toEqual([{ one: 1 }]);
    expect((await db.session((session) => session.query("select 1 as one"))).rows).toEqual([{ one: 1 }]);
    for await (const row of db.stream("select 1 as one")) expect(row).toEqual({ one: 1 });
    expect(db.stats()).toMatchObject({ total: 1, idle: 1, running: 0 });
  });

  test("that comes while a call runs hears nothing of it, and one that leaves hears nothing more", async () => {
    await using db = openPool();
    const late = db.query("select pg_sleep(0.01)");
    const heard = hear("warmline:query");
    await late;
    expect(heard).toEqual([]);
    const cut = db.query("select pg_sleep(0.01)");
    for (const stop of stops.splice(0)) stop();
    await cut;
    expect(eventsOf(heard)).toEqual(["start", "end"]);
  });
});

test("without subscribers nothing is published, and every call works as ever", async () => {
  await using db = createDatabase({ url: urlAt(), transport: "pool" });
  expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  expect(channel("tracing:warmline:query:start").hasSubscribers).toBe(false);
});
