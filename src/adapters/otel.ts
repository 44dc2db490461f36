import { context, type MeterProvider, metrics, SpanKind, SpanStatusCode, type TracerProvider, trace } from "@opentelemetry/api";
import type { Database, DatabaseEvent, QueryEvent } from "../entry/node.ts";
import { queryShape } from "../observe/query-shape.ts";
import { type CallAttributes, describeCall, hrTime, placeOf, textOf } from "./otel-attributes.ts";
import { channelsAreTraced } from "./otel-channels.ts";
import { type SemconvOptions, watchConnections } from "./otel-connections.ts";
import { watchRows } from "./otel-rows.ts";

export { type TraceChannelsOptions, traceChannels } from "./otel-channels.ts";
export { sqlCommenter } from "./otel-comment.ts";
export type { SemconvOptions } from "./otel-connections.ts";

/** How a database is instrumented. */
export interface InstrumentOptions {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider;
  /** Default: the global one. */
  readonly meterProvider?: MeterProvider;
  /** Whether spans hold `db.query.text`: the statements with `?` for every literal, never a parameter's value. Default true. */
  readonly captureText?: boolean;
  /** Which of the conventions. Default: the stable ones, and the three metrics of connections this package has had from its first release. */
  readonly semconv?: SemconvOptions;
}

const NAME = "warmline";

/** Source: OpenTelemetry's database conventions, `db.client.operation.duration`; seconds. */
const BUCKETS_S = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * Tells OpenTelemetry of a database's calls and connections, by its stable database conventions: a CLIENT span for every call, as a child of
 * the caller's, where `traceChannels` makes none; their durations; and the connections by state. To be called once for each pool, after the SDK
 * was set up. Returns a function that ends it.
 *
 * @example instrument(db);
 */
export function instrument(db: Database, options: InstrumentOptions = {}): () => void {
  const { tracerProvider = trace, meterProvider = metrics, captureText = true, semconv = {} } = options;
  const tracer = tracerProvider.getTracer(NAME);
  const meter = meterProvider.getMeter(NAME);
  const duration = meter.createHistogram("db.client.operation.duration", {
    description: "Duration of database client operations.",
    unit: "s",
    advice: { explicitBucketBoundaries: BUCKETS_S },
  });
  const connections = watchConnections(db, meter, semconv);
  const rows = watchRows(meter, semconv);

  function tell(event: QueryEvent): void {
    const shapes = event.texts.map(queryShape);
    const call = describeCall(event, shapes, placeOf(db));
    if (!channelsAreTraced()) {
      const startTime = hrTime(event.startedAt);
      const attributes = { ...call.atStart, ...(captureText && shapes.length > 0 && { "db.query.text": textOf(shapes) }) };
      const span = tracer.startSpan(call.name, { kind: SpanKind.CLIENT, startTime, attributes }, context.active());
      span.setAttributes({ ...call.atEnd, ...rows.attributesOf(event) });
      if (event.failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: event.failure.code });
      span.end(hrTime(event.startedAt + event.durationMs));
    }
    if (isOperation(event)) duration.record(event.durationMs / 1_000, metricAttributes(call));
    rows.record(event, metricAttributes(call));
  }

  const unsubscribe = db.subscribe((event: DatabaseEvent) => {
    if (event.type === "query") tell(event);
    connections.hear(event);
  });
  return () => {
    unsubscribe();
    connections.stop();
  };
}

/** What a transaction or session takes is also its callback's time; the statements in it are counted by themselves. A stream's is its reader's. */
function isOperation({ operation }: QueryEvent): boolean {
  return operation !== "transaction" && operation !== "session" && operation !== "stream";
}

function metricAttributes({ atStart, atEnd }: CallAttributes): CallAttributes["atStart"] {
  const { "db.operation.batch.size": _, ...low } = { ...atStart, ...atEnd };
  return low;
}
