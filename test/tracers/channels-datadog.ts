import { type ChannelSpan, type ChannelTracer, shareApi } from "./channel-tracer.ts";
import { startDatadogAgent } from "./datadog-agent.ts";
import { fromTools, shown } from "./tracer.ts";

interface DatadogSpan {
  readonly _duration?: number;
  readonly _parentId?: unknown;
  context(): {
    readonly _name: string;
    readonly _spanId: unknown;
    readonly _parentId: unknown;
    readonly _tags: Readonly<Record<string, unknown>>;
    readonly _trace: { readonly started: readonly DatadogSpan[] };
  };
}

interface Datadog {
  init(options: object): unknown;
  use(plugin: string, options: object): unknown;
  trace<T>(name: string, options: object, work: (span: DatadogSpan) => Promise<T>): Promise<T>;
  readonly TracerProvider: new () => { register(): void };
}

/** Datadog, by its provider for OpenTelemetry's API, without its own patch of pg; with an agent on loopback that keeps nothing. */
export async function start(): Promise<ChannelTracer> {
  shareApi();
  const agent = await startDatadogAgent();
  const datadog = fromTools<Datadog>("dd-trace");
  datadog.init({ service: "tracers" });
  datadog.use("pg", { enabled: false });
  fromTools("dd-trace/register.js");
  new datadog.TracerProvider().register();
  const { traceChannels } = await import("warmline/otel");
  traceChannels();
  return {
    request: (name, work) =>
      datadog.trace("request", { resource: name }, async (root) => {
        await work();
        // a trace forgets its spans when it is flushed
        return root.context()._trace.started.flatMap((span): readonly ChannelSpan[] => {
          const { _tags: tags, _spanId, _parentId } = span.context();
          // it tells of sockets, too
          if (tags.component === "net" || tags.component === "dns") return [];
          const made: ChannelSpan = {
            name: String(tags["resource.name"]),
            id: String(_spanId),
            parentId: span === root ? undefined : String(_parentId),
            attributes: tags,
            ended: span === root || span._duration !== undefined,
            failed: Boolean(tags.error) || tags["error.type"] !== undefined,
            kept: shown(tags),
          };
          return [made];
        });
      }),
    stop: async () => void agent.close(),
  };
}
