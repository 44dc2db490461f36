import { register } from "node:module";
import { pathToFileURL } from "node:url";
import { fromTools, type Span, shown, type Tracer } from "./tracer.ts";

interface OtelSpan {
  readonly name: string;
  readonly ended: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number };
  readonly events: unknown;
  readonly instrumentationScope: { readonly name: string };
  readonly parentSpanContext?: { readonly spanId: string };
  spanContext(): { readonly spanId: string };
  end(): void;
}

const ERROR = 2;
const PG = "@opentelemetry/instrumentation-pg";

/** OpenTelemetry with its instrumentation of pg, and no exporter. */
export async function startOpenTelemetry(settings: object = {}): Promise<Tracer> {
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
  const { PgInstrumentation } = fromTools<{ readonly PgInstrumentation: new (settings: object) => object }>(PG);
  register("@opentelemetry/instrumentation/hook.mjs", pathToFileURL(`${process.env.TRACERS}/`));
  const begun: OtelSpan[] = [];
  const nothing = async () => {};
  const provider = new NodeTracerProvider({
    spanProcessors: [{ onStart: (span: OtelSpan) => void begun.push(span), onEnd() {}, forceFlush: nothing, shutdown: nothing }],
  });
  provider.register();
  registerInstrumentations({ instrumentations: [new PgInstrumentation(settings)], tracerProvider: provider });
  const tracer = provider.getTracer("tracers");
  const requestOf = ({ parentSpanContext }: OtelSpan): string | undefined => {
    const parent = begun.find((one) => one.spanContext().spanId === parentSpanContext?.spanId);
    return parent && (parent.instrumentationScope.name === "tracers" ? parent.name : `below ${parent.name}`);
  };
  return {
    keepsText: true,
    request: (name, work) => tracer.startActiveSpan(name, (span) => work().finally(() => span.end())),
    spans: () =>
      begun
        .filter((span) => span.instrumentationScope.name === PG)
        .map(
          (span): Span => ({
            statement: span.name.startsWith("pg.query"),
            text: (span.attributes["db.query.text"] ?? span.attributes["db.statement"]) as string | undefined,
            request: requestOf(span),
            ended: span.ended,
            failed: span.status.code === ERROR,
            kept: shown(span.name, span.attributes, span.status, span.events),
          }),
        ),
    stop: () => provider.shutdown(),
  };
}
