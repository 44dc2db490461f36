import { channel } from "node:diagnostics_channel";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type InstrumentOptions, instrument } from "../../src/adapters/otel.ts";
import { type Database, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import { failureOf, openPool, until } from "../core/databases.ts";
import { stopTimers } from "../support/stopped-timers.ts";
import { AsyncContextManager } from "./async-contexts.ts";

const { host, port, database } = inject("postgres");
const everywhere = { "db.system.name": "postgresql", "db.namespace": database, "server.address": host, "server.port": port };
const canary = "canary-of-a-value";

const spans = new InMemorySpanExporter();
const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] });
let exporter: InMemoryMetricExporter;
let reader: PeriodicExportingMetricReader;
let meterProvider: MeterProvider;
let db: Database;
let stop: () => void;

function open(options: DatabaseOptions = {}, own: InstrumentOptions = {}): void {
  db = openPool(options);
  stop = instrument(db, { tracerProvider, meterProvider, ...own });
}

async function collect(): Promise<ReadonlyMap<string, readonly { readonly attributes: object; readonly value: unknown }[]>> {
  exporter.reset();
  await reader.forceFlush();
  const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return new Map(metrics.map(({ descriptor, dataPoints }) => [`${descriptor.name} ${descriptor.unit}`, dataPoints]));
}

const finished = (): readonly ReadableSpan[] => spans.getFinishedSpans();
const attributesOf = (span: ReadableSpan | undefined) => ({ ...span?.attributes });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncContextManager());
});
beforeEach(() => {
  spans.reset();
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  meterProvider = new MeterProvider({ readers: [reader] });
});
afterEach(async () => {
  stop();
  await db.close();
  await meterProvider.shutdown();
});
afterAll(async () => {
  context.disable();
  await tracerProvider.shutdown();
});

describe("a span", () => {
  test("tells of a query: what, where, when, as a child of the caller's, and not with which values", async () => {
    open();
    const tracer = tracerProvider.getTracer("test");
    const before = Date.now();
    await tracer.startActiveSpan("request", async (request) => {
      await db.query(sql`select ${canary}::text as a, 'literal' as b, 7 as c from pg_class limit 1`);
      request.end();
    });
    const [span, request] = finished();
    expect(span).toMatchObject({ name: "select pg_class", kind: SpanKind.CLIENT, status: { code: SpanStatusCode.UNSET } });
    expect(attributesOf(span)).toEqual({
      ...everywhere,
      "db.query.summary": "select pg_class",
      "db.query.text": "select $1::text as a, ? as b, ? as c from pg_class limit ?",
    });
    expect(span?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
    const [startedAt, endedAt] = [span?.startTime, span?.endTime].map(([s, ns] = [0, 0]) => s * 1_000 + ns / 1e6) as [number, number];
    expect(startedAt).toBeGreaterThanOrEqual(before);
    expect(endedAt).toBeGreaterThan(startedAt);
    expect(endedAt).toBeLessThanOrEqual(Date.now() + 1);
  });

  test("of a query outside of any span stands by itself", async () => {
    open();
    await db.query("select 1");
    expect(finished()[0]?.parentSpanContext).toBeUndefined();
  });

  test("tells of a failure by the server's code", async () => {
    open();
    await failureOf(db.query("select $1 from nowhere", [canary]));
    expect(finished()[0]).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: "42P01" } });
    expect(attributesOf(finished()[0])).toMatchObject({ "error.type": "42P01", "db.response.status_code": "42P01" });
  });

  test("tells of a failure that the server said nothing of by this package's code", async () => {
    open({ port: 1, url: `postgres://someone@${host}:1/${database}`, deadlineMs: 200 });
    await failureOf(db.query("select 1"));
    const attributes = attributesOf(finished()[0]);
    expect(attributes).toMatchObject({ "error.type": expect.stringMatching(/^[A-Z_]+$/), "server.port": 1 });
    expect(attributes).not.toHaveProperty("db.response.status_code");
  });

  test("tells of a batch as one, with its size; one statement is none", async () => {
    open();
    await db.batch([sql`select 1 from pg_class`, sql`select 2 from pg_class`]);
    await db.batch([sql`select 1 from pg_class`, sql`select 2 from pg_type`]);
    await db.batch([sql`select 1 from pg_class`]);
    expect(finished().map((span) => [span.name, span.attributes["db.operation.batch.size"], span.attributes["db.query.text"]])).toEqual([
      ["BATCH select pg_class", 2, "select ? from pg_class"],
      ["BATCH", 2, "select ? from pg_class; select ? from pg_type"],
      ["select pg_class", undefined, "select ? from pg_class"],
    ]);
    expect(finished().map((span) => span.attributes["db.operation.name"])).toEqual(["BATCH", "BATCH", undefined]);
  });

  test("tells of a transaction and of each statement in it", async () => {
    open();
    await db
      .transaction(async (tx) => {
        await tx.query("select 1");
        await failureOf(tx.query("select 1 / 0"));
      })
      .catch(() => {});
    expect(finished().map(({ name, status }) => [name, status.code])).toEqual([
      ["select", SpanStatusCode.UNSET],
      ["select", SpanStatusCode.ERROR],
      [`TRANSACTION ${database}`, SpanStatusCode.ERROR],
    ]);
  });

  test("tells no text where that was not wanted", async () => {
    open({}, { captureText: false });
    await db.query("select 1");
    expect(attributesOf(finished()[0])).toEqual({ ...everywhere, "db.query.summary": "select" });
  });

  test("of a statement never holds a value, whatever fails", async () => {
    open();
    await db.query(sql`select ${canary}::text`);
    await failureOf(db.query(sql`select ${canary}::int`));
    await failureOf(db.query(`select '${canary}'::int`));
    await db.batch([sql`select ${canary}::text`, sql`select 1`]);
    const shown = finished().map(({ name, attributes, status, events }) => JSON.stringify([name, attributes, status, events]));
    expect(shown).toHaveLength(4);
    expect(shown.join()).not.toContain(canary);
    expect(JSON.stringify([...(await collect())])).not.toContain(canary);
  });
});

describe("a metric", () => {
  test("tells how long calls took, in seconds and in the conventions' buckets", async () => {
    open();
    await db.query("select 1 from pg_class");
    await db.query("select 2 from pg_class");
    await failureOf(db.query("select 1 from nowhere"));
    await db.transaction((tx) => tx.query("select pg_sleep(0.01)"));
    const points = (await collect()).get("db.client.operation.duration s") ?? [];
    expect(points.map(({ attributes, value }) => [attributes, (value as { count: number }).count])).toEqual([
      [{ ...everywhere, "db.query.summary": "select pg_class" }, 2],
      [{ ...everywhere, "db.query.summary": "select nowhere", "error.type": "42P01", "db.response.status_code": "42P01" }, 1],
      [{ ...everywhere, "db.query.summary": "select" }, 1],
    ]);
    const slept = points.at(-1)?.value as { readonly buckets: { readonly boundaries: number[] }; readonly sum: number } | undefined;
    expect(slept?.buckets.boundaries).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]);
    expect(slept?.sum).toBeGreaterThanOrEqual(0.01);
    expect(slept?.sum).toBeLessThan(30);
  });

  test("tells of connections that are idle and used, of calls that wait, and of those that waited in vain", async () => {
    using timers = stopTimers();
    open({ max: 2, acquireTimeoutMs: 100 });
    expect((await collect()).get("db.client.connection.count {connection}")).toBeUndefined();
    const release = Promise.withResolvers<void>();
    let begun = 0;
    const held = [1, 2].map(() =>
      db.session(async () => {
        begun++;
        await release.promise;
      }),
    );
    // while one is being opened, who waits would wait for that
    await until(() => begun === 2);
    const waiting = failureOf(db.query("select 1"));
    await until(() => db.stats().waiting === 1);
    const name = { "db.client.connection.pool.name": `${host}:${port}/${database}` };
    const counts = (metrics: Awaited<ReturnType<typeof collect>>) =>
      (metrics.get("db.client.connection.count {connection}") ?? []).map(({ attributes, value }) => [attributes, value]);
    const during = await collect();
    expect(counts(during)).toEqual([
      [{ ...name, "db.client.connection.state": "idle" }, 0],
      [{ ...name, "db.client.connection.state": "used" }, 2],
    ]);
    expect(during.get("db.client.connection.pending_requests {request}")).toMatchObject([{ attributes: name, value: 1 }]);
    timers.pass(100);
    expect(await waiting).toMatchObject({ code: "ACQUIRE_TIMEOUT" });
    release.resolve();
    await Promise.all(held);
    const after = await collect();
    expect(counts(after).map(([, value]) => value)).toEqual([2, 0]);
    expect(after.get("db.client.connection.timeouts {timeout}")).toMatchObject([{ attributes: name, value: 1 }]);
  });
});

describe("what is in development in the conventions", () => {
  const pool = { "db.client.connection.pool.name": `${host}:${port}/${database}` };

  test("is told where it was asked for: what connections cost, how many there may be, and how many rows came", async () => {
    open({ max: 3, min: 1 }, { semconv: { experimental: true } });
    await db.query("select generate_series(1, 4)");
    await db.transaction((tx) => tx.query("select pg_sleep(0.002)"));
    const metrics = await collect();
    const counted = (name: string) =>
      (metrics.get(name) ?? []).map(({ attributes, value }) => [attributes, (value as { count: number }).count]);
    expect(counted("db.client.connection.create_time s")).toEqual([[pool, 1]]);
    expect(counted("db.client.connection.wait_time s")).toEqual([[pool, 2]]);
    expect(counted("db.client.connection.use_time s")).toEqual([[pool, 2]]);
    const rows = metrics.get("db.client.response.returned_rows {row}") ?? [];
    expect(rows.map(({ value }) => (value as { sum: number }).sum)).toEqual([5]);
    for (const [name, value] of [
      ["max", 3],
      ["idle.max", 3],
      ["idle.min", 1],
    ] as const) {
      expect(metrics.get(`db.client.connection.${name} {connection}`)).toMatchObject([{ attributes: pool, value }]);
    }
    expect(finished()[0]?.attributes).toMatchObject({ "db.response.returned_rows": 4 });
  });

  test("is not told by itself, nor after the end", async () => {
    open();
    await db.query("select 1");
    const names = [...(await collect()).keys()].sort();
    const always = ["count {connection}", "pending_requests {request}"].map((name) => `db.client.connection.${name}`);
    expect(names).toEqual([...always, "db.client.operation.duration s"]);
    expect(finished()[0]?.attributes).not.toHaveProperty("db.response.returned_rows");
    stop();
    expect(["acquire:start", "acquire:asyncEnd"].map((name) => channel(`tracing:warmline:${name}`).hasSubscribers)).toEqual([false, false]);
  });
});

test("after its end nothing is told any more", async () => {
  open();
  await db.query("select 1");
  stop();
  await db.query("select 1");
  expect(finished()).toHaveLength(1);
  expect((await collect()).get("db.client.connection.count {connection}")).toBeUndefined();
});

test("without an SDK nothing is told, and nothing fails", async () => {
  db = openPool();
  stop = instrument(db);
  expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  expect(trace.getActiveSpan()).toBeUndefined();
});
