import { register } from "node:module";
import { pathToFileURL } from "node:url";
import { type ChannelSpan, type ChannelTracer, shareApi } from "./channel-tracer.ts";
import { fromTools, shown } from "./tracer.ts";

interface OtelSpan {
  readonly name: string;
  readonly ended: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number };
  readonly events: unknown;
  readonly parentSpanContext?: { readonly spanId: string };
  spanContext(): { readonly spanId: string; readonly traceId: string };
  end(): void;
}

const ERROR = 2;

/** OpenTelemetry's SDK, with its instrumentation of pg beside our channels. */
export async function start(): Promise<ChannelTracer> {
  shareApi();
  const { NodeTracerProvider } = fromTools<{
    readonly NodeTracerProvider: new (
      options: object,
    ) => {
      register(): void;
      shutdown(): Promise<void>;
      getTracer(name: string): { startActiveSpan<T>(name: string, work: (span: OtelSpan) => T): T };
    };
  }>("@opentelemetry/sdk-trace-node");
  const { registerInstrumentations } = fromTools<{ registerInstrumentations(options: object): void }>("@opentelemetry/instrumentation");
  const { PgInstrumentation } = fromTools<{ readonly PgInstrumentation: new () => object }>("@opentelemetry/instrumentation-pg");
  register("@opentelemetry/instrumentation/hook.mjs", pathToFileURL(`${process.env.TRACERS}/`));
  const begun: OtelSpan[] = [];
  const nothing = async () => {};
  const provider = new NodeTracerProvider({
    spanProcessors: [{ onStart: (span: OtelSpan) => void begun.push(span), onEnd() {}, forceFlush: nothing, shutdown: nothing }],
  });
  provider.register();
  registerInstrumentations({ instrumentations: [new PgInstrumentation()], tracerProvider: provider });
  const { traceChannels } = await import("warmline/otel");
  traceChannels();
  const tracer = provider.getTracer("tracers");
  return {
    async request(name, work) {
      let traceId = "";
      await tracer.startActiveSpan(name, (span) => {
        ({ traceId } = span.spanContext());
        return work().finally(() => span.end());
      });
      return begun
        .filter((span) => span.spanContext().traceId === traceId)
        .map(
          (span): ChannelSpan => ({
            name: span.name,
            id: span.spanContext().spanId,
            parentId: span.parentSpanContext?.spanId,
            attributes: span.attributes,
            ended: span.ended,
            failed: span.status.code === ERROR,
            kept: shown(span.name, span.attributes, span.status, span.events),
          }),
        );
    },
    stop: () => provider.shutdown(),
  };
}
