import { context, createContextKey, type Span, SpanKind, SpanStatusCode, type TracerProvider, trace } from "@opentelemetry/api";
import type { ConnectMessage, QueryMessage, SessionMessage, TracingMessages, TransactionMessage } from "../entry/node.ts";
import { queryShape } from "../observe/query-shape.ts";
import { describeCall, placeAt, textOf } from "./otel-attributes.ts";
import type { SemconvOptions } from "./otel-connections.ts";
import { subscribeTo } from "./otel-diagnostics.ts";
import { returnedRowsOf } from "./otel-rows.ts";

/** How the channels are traced. */
export interface TraceChannelsOptions {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider;
  /** Whether spans hold `db.query.text`: the statements with `?` for every literal, never a parameter's value. Default true. */
  readonly captureText?: boolean;
  /** Which of the conventions. Default: the stable ones. */
  readonly semconv?: SemconvOptions;
}

/** What becomes a span. That a call waits is in the span of the call. */
type Traced = Exclude<keyof TracingMessages, "warmline:acquire">;
type CallMessage = QueryMessage | TransactionMessage | SessionMessage;

const names: readonly Traced[] = ["warmline:query", "warmline:transaction", "warmline:session", "warmline:connect"];

/** By this the SDKs know what must not be traced. Source: `suppressTracing` of @opentelemetry/core. */
const SUPPRESSED = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
/** The context of a call as it is without that. */
const OWN = createContextKey("warmline's own context");

/** What every copy of this package in the process has to know, for every copy hears the databases of all. */
interface Shared {
  /** How many make spans by the channels. */
  tracers: number;
  /** What has a span. */
  readonly messages: WeakSet<object>;
}

const SHARED = Symbol.for("warmline.traceChannels");
const shared = (): Shared => ((globalThis as { [SHARED]?: Shared })[SHARED] ??= { tracers: 0, messages: new WeakSet() });

/** Whether spans are made by the channels, so that nobody makes them a second time. */
export const channelsAreTraced = (): boolean => shared().tracers > 0;

/**
 * Makes spans of what every database of the process does, by its tracing channels, for whatever tracer stands behind OpenTelemetry's API: CLIENT
 * spans by the stable conventions, for calls, for transactions and sessions, which are the parents of their statements, and for connections that
 * are opened. What a tracer that patches pg would make of the same statement, in OpenTelemetry's own context, is left out. To be called once, after
 * the SDK was set up. Returns a function that ends it; what is open by then ends as it would. Where the runtime has no channels it does nothing.
 *
 * @example traceChannels();
 */
export function traceChannels({ tracerProvider = trace, captureText = true, semconv = {} }: TraceChannelsOptions = {}): () => void {
  const tracer = tracerProvider.getTracer("warmline");
  const spans = new WeakMap<object, Span>();
  const subscriptions = names.map((name) =>
    subscribeTo<TracingMessages[Traced]>(`tracing:${name}`, {
      start(message) {
        const { messages } = shared();
        if (messages.has(message)) return;
        messages.add(message);
        const isConnect = name === "warmline:connect";
        const { name: spanName, attributes } = isConnect ? ofConnect(message) : ofCall(message as CallMessage, captureText);
        message.runIn((run) => {
          const own = context.active().getValue(OWN) as ReturnType<typeof context.active> | undefined;
          const begin = (span: Span) => {
            spans.set(message, span);
            const here = context.active();
            // over HTTP there is no pg, and a fetch has a span that tells more
            if (message.transport === "http" || !(isConnect || name === "warmline:query")) return run();
            context.with(here.setValue(OWN, here).setValue(SUPPRESSED, true), run);
          };
          const options = { kind: SpanKind.CLIENT, attributes };
          if (own === undefined) tracer.startActiveSpan(spanName, options, begin);
          else tracer.startActiveSpan(spanName, options, own, begin);
        });
      },
      asyncEnd(message) {
        const span = spans.get(message);
        if (span === undefined) return;
        spans.delete(message);
        end(span, message, semconv);
      },
    }),
  );
  if (!subscriptions.some((subscription) => subscription !== undefined)) return () => {};
  shared().tracers++;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    shared().tracers--;
    for (const subscription of subscriptions) subscription?.();
  };
}

function ofCall(message: CallMessage, captureText: boolean) {
  const texts = "texts" in message ? message.texts : [];
  const shapes = texts.map(queryShape);
  const { operation } = message;
  const { name, atStart } = describeCall({ operation, texts, failure: null }, shapes, placeOf(message));
  return { name, attributes: { ...atStart, ...(captureText && shapes.length > 0 && { "db.query.text": textOf(shapes) }) } };
}

function ofConnect(message: ConnectMessage) {
  const { attributes, database } = placeOf(message);
  return { name: `CONNECT ${database}`, attributes: { ...attributes, "db.operation.name": "CONNECT" } };
}

const placeOf = ({ serverAddress, serverPort, database }: TracingMessages[Traced]) =>
  placeAt({ host: serverAddress, port: serverPort, database });

function end(span: Span, message: TracingMessages[Traced], semconv: SemconvOptions): void {
  const { code, fate, sqlState, connectionId } = message;
  span.setAttributes({
    ...(code !== null && { "error.type": sqlState ?? code }),
    ...(sqlState !== null && { "db.response.status_code": sqlState }),
    ...(fate !== null && { "warmline.fate": fate }),
    ...(connectionId !== null && { "warmline.connection.id": connectionId }),
    ...("retries" in message && { "warmline.round_trips": message.roundTrips, "warmline.retries": message.retries }),
    ...("reused" in message && message.reused !== null && { "warmline.connection.reused": message.reused }),
    ...("returnedRows" in message && returnedRowsOf(semconv, message.returnedRows)),
  });
  if (code !== null) {
    // what a callback threw itself may hold anything
    if (fate !== null) span.recordException(message.error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  }
  span.end();
}
