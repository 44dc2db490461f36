import { channel } from "node:diagnostics_channel";
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { instrument, type TraceChannelsOptions, traceChannels } from "../../src/adapters/otel.ts";
import { type Database, sql } from "../../src/entry/node.ts";
import { failureOf, openPool } from "../core/databases.ts";
import { AsyncContextManager } from "./async-contexts.ts";

const { host, port, database } = inject("postgres");
const everywhere = { "db.system.name": "postgresql", "db.namespace": database, "server.address": host, "server.port": port };
const secret = "canary-of-a-value";
const exporter = new InMemorySpanExporter();
const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
let db: Database;
let stop: () => void = () => {};

const start = (options: TraceChannelsOptions = {}) => {
  stop = traceChannels({ tracerProvider, ...options });
};
/** In the order they ended. */
const finished = (): readonly ReadableSpan[] => exporter.getFinishedSpans();
const named = (name: string) => finished().find((span) => span.name === name);
const parentOf = (span: ReadableSpan | undefined) =>
  finished().find((one) => one.spanContext().spanId === span?.parentSpanContext?.spanId)?.name;

beforeAll(() => {
  context.setGlobalContextManager(new AsyncContextManager());
});
beforeEach(() => {
  exporter.reset();
  db = openPool();
});
afterEach(async () => {
  stop();
  await db.close();
});
afterAll(async () => {
  context.disable();
  await tracerProvider.shutdown();
});

describe("a span", () => {
  test("is made of a query by the conventions, with what only this package knows, and without values", async () => {
    start();
    await tracerProvider.getTracer("test").startActiveSpan("request", async (request) => {
      await db.query(sql`select ${secret}::text as a, 'literal' as b from pg_class limit 1`);
      request.end();
    });
    const span = named("select pg_class");
    expect(span).toMatchObject({ kind: SpanKind.CLIENT, status: { code: SpanStatusCode.UNSET } });
    expect({ ...span?.attributes }).toEqual({
      ...everywhere,
      "db.query.summary": "select pg_class",
      "db.query.text": "select $1::text as a, ? as b from pg_class limit ?",
      "warmline.connection.id": expect.any(String),
      "warmline.connection.reused": false,
      "warmline.round_trips": 1,
      "warmline.retries": 0,
    });
    expect(parentOf(span)).toBe("request");
    expect(JSON.stringify(finished().map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(secret);
  });

  test("of a statement in a transaction is a child of the transaction's, and what its callback begins is, too", async () => {
    start();
    const tracer = tracerProvider.getTracer("test");
    await db.transaction(async (tx) => {
      await tx.query("select 1 from pg_class");
      tracer.startSpan("work of the callback").end();
      await tx.batch([sql`select 2 from pg_type`, sql`select 3 from pg_type`]);
    });
    const transaction = `TRANSACTION ${database}`;
    expect(finished().map((span) => [span.name, parentOf(span)])).toEqual([
      [`CONNECT ${database}`, transaction],
      ["select pg_class", transaction],
      ["work of the callback", transaction],
      ["BATCH select pg_type", transaction],
      [transaction, undefined],
    ]);
    expect(named(transaction)?.attributes).toMatchObject({ "db.operation.name": "TRANSACTION", "warmline.round_trips": 3 });
  });

  test("of opening a connection is a child of the call that needs it, and nothing of it is active behind", async () => {
    start();
    await db.query("select 1 from pg_class");
    expect(parentOf(named(`CONNECT ${database}`))).toBe("select pg_class");
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  test("tells of a failure by the server's code, its fate, and the error as the caller gets it", async () => {
    start();
    await failureOf(db.query("select $1::int", [secret]));
    const span = named("select");
    expect(span).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: "22P02" } });
    expect(span?.attributes).toMatchObject({ "error.type": "22P02", "db.response.status_code": "22P02", "warmline.fate": "refused" });
    expect(span?.events).toMatchObject([{ name: "exception", attributes: { "exception.type": "22P02" } }]);
    expect(JSON.stringify(span?.events)).not.toContain(secret);
  });

  test("tells of what a callback threw by its name alone", async () => {
    start();
    await db.transaction(() => Promise.reject(new RangeError(secret))).catch(() => {});
    expect(named(`TRANSACTION ${database}`)).toMatchObject({ status: { message: "RangeError" }, events: [] });
  });

  test("has no text where that was not wanted, and rows where they were", async () => {
    start({ captureText: false, semconv: { experimental: true } });
    await db.query("select generate_series(1, 3)");
    expect(named("select")?.attributes).toMatchObject({ "db.response.returned_rows": 3 });
    expect(named("select")?.attributes).not.toHaveProperty("db.query.text");
  });
});

test("what patches pg makes no second span of a statement, and one of its own for what is none of ours", async () => {
  start();
  // as an instrumentation does where pg's client is called
  const suppressed = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
  const seen: unknown[] = [];
  const listen = () => void seen.push(context.active().getValue(suppressed));
  const end = channel("tracing:warmline:query:asyncEnd");
  end.subscribe(listen);
  await db.query("select 1");
  end.unsubscribe(listen);
  expect(seen).toEqual([true]);
  await db.session(async () => expect(context.active().getValue(suppressed)).toBeUndefined());
});

test("where tracing is suppressed by somebody else there is none", async () => {
  start();
  const suppressed = ROOT_CONTEXT.setValue(Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING"), true);
  await context.with(suppressed, () => db.query("select 1"));
  expect(finished()).toEqual([]);
});

test("beside instrument(db) there is one span for a call, and its metrics", async () => {
  const end = instrument(db, { tracerProvider });
  start();
  await db.query("select 1 from pg_class");
  expect(finished().map(({ name }) => name)).toEqual([`CONNECT ${database}`, "select pg_class"]);
  stop();
  await db.query("select 1 from pg_class");
  expect(finished()).toHaveLength(3);
  end();
});

test("a second call, or a second copy of the package, makes no second span", async () => {
  start();
  vi.resetModules();
  const copy = await import("../../src/adapters/otel.ts");
  expect(copy.traceChannels).not.toBe(traceChannels);
  const others = [traceChannels({ tracerProvider }), copy.traceChannels({ tracerProvider })];
  const stopMeasuring = copy.instrument(db, { tracerProvider });
  await db.query("select 1 as one");
  expect(finished().filter(({ name }) => name === "select")).toHaveLength(1);
  stopMeasuring();
  stop();
  await db.query("select 1 as one");
  expect(finished().filter(({ name }) => name === "select")).toHaveLength(2);
  for (const other of others) other();
  await db.query("select 1 as one");
  expect(finished().filter(({ name }) => name === "select")).toHaveLength(2);
});

test("its end leaves what is open to end, and hears of nothing new", async () => {
  start();
  await db.query("select 1");
  exporter.reset();
  const open = db.query("select pg_sleep(0.01) from pg_class");
  stop();
  await db.query("select 2");
  await open;
  expect(finished().map(({ name }) => name)).toEqual(["select pg_class"]);
  for (const name of ["query", "transaction", "session", "connect"]) {
    for (const event of ["start", "asyncEnd"]) expect(channel(`tracing:warmline:${name}:${event}`).hasSubscribers).toBe(false);
  }
});
