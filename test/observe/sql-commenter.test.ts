import { context, createTraceState, type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlCommenter, traceChannels } from "../../src/adapters/otel.ts";
import { openPool } from "../core/databases.ts";
import { AsyncContextManager } from "./async-contexts.ts";

const traceId = "5bd66ef5095369c7b0d1f8f4bd33716a";
const spanId = "c532cb4098ac3dd2";
const own = "select query from pg_stat_activity where pid = pg_backend_pid()";

/** What is put behind a text while a span is active. */
function commentIn(span: Partial<SpanContext>, text = "select 1"): string {
  const active = trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: TraceFlags.SAMPLED, ...span });
  return context.with(active, () => sqlCommenter(text));
}

beforeAll(() => {
  context.setGlobalContextManager(new AsyncContextManager());
});
afterAll(() => {
  context.disable();
});

describe("the comment of a trace", () => {
  test("is in SQLCommenter's form, with keys in their order and values as in a URL", () => {
    expect(commentIn({})).toBe(`/*traceparent='00-${traceId}-${spanId}-01'*/`);
    const traceState = createTraceState("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    expect(commentIn({ traceState })).toBe(
      `/*traceparent='00-${traceId}-${spanId}-01',tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/`,
    );
  });

  test("cannot be ended by what a caller of the service sends along", () => {
    const comment = commentIn({ traceState: createTraceState("x='*/;drop (table) users!--") });
    expect(comment.slice(2, -2)).not.toMatch(/\*|\/|\(|;|!/);
    expect(comment.match(/'/g)).toHaveLength(4);
  });

  test("has two digits of flags, whatever a propagator took", () => {
    expect(commentIn({ traceFlags: 0x101 })).toBe(`/*traceparent='00-${traceId}-${spanId}-01'*/`);
  });

  test("is none without a span, of one that is not sampled, and beside a comment", () => {
    expect(sqlCommenter("select 1")).toBe("");
    expect(commentIn({ traceFlags: TraceFlags.NONE })).toBe("");
    expect(commentIn({ traceId: "0".repeat(32) })).toBe("");
    for (const text of ["select 1 -- x", "select /* x */ 1", "/*+ hint */ select 1", "select '--'"]) expect(commentIn({}, text)).toBe("");
  });

  test("names the span of the statement itself, where the channels are traced", async () => {
    const exporter = new InMemorySpanExporter();
    const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    await using db = openPool({ sqlCommenter });
    const stop = traceChannels({ tracerProvider });
    const { rows } = await db.query<{ query: string }>(own);
    const inside = await db.transaction(async (tx) => (await tx.query<{ query: string }>(own)).rows);
    stop();
    const spans = exporter.getFinishedSpans().filter(({ name }) => name === "select pg_stat_activity");
    expect([...rows, ...inside].map(({ query }) => query)).toEqual(
      spans.map((span) => `${own} /*traceparent='00-${span.spanContext().traceId}-${span.spanContext().spanId}-01'*/`),
    );
    expect(spans).toHaveLength(2);
  });

  test("has its statement sent without a name, and those without one with theirs", async () => {
    let comment = "";
    await using db = openPool({ max: 1, sqlCommenter: () => comment });
    const prepared = "select count(*)::int as n from pg_prepared_statements where statement = 'select 1 as kept'";
    for (let times = 0; times < 3; times++) await db.query("select 1 as kept");
    expect((await db.query(prepared)).rows).toEqual([{ n: 1 }]);
    comment = "/*a='b'*/";
    for (let times = 0; times < 3; times++) await db.query("select 2 as commented");
    expect((await db.query("select count(*)::int as n from pg_prepared_statements where statement like 'select 2%'")).rows).toEqual([
      { n: 0 },
    ]);
  });
});
