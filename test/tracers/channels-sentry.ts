import { register } from "node:module";
import { pathToFileURL } from "node:url";
import { type ChannelSpan, type ChannelTracer, shareApi } from "./channel-tracer.ts";
import { fromTools, shown } from "./tracer.ts";

interface SentryJson {
  readonly name: string;
  readonly span_id: string;
  readonly parent_span_id?: string;
  readonly status?: string;
  readonly end_timestamp?: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Sentry {
  init(options: object): { on(event: "spanStart", listener: (span: object) => void): void };
  startSpan<T>(options: object, work: (span: object) => Promise<T>): Promise<T>;
  spanToJSON(span: object): SentryJson;
  getRootSpan(span: object): object;
  close(): Promise<boolean>;
}

/** Sentry, without its own integration of pg, and with a transport that sends nothing. */
export async function start(): Promise<ChannelTracer> {
  shareApi();
  const sentry = fromTools<Sentry>("@sentry/node");
  register("@sentry/node/import", pathToFileURL(`${process.env.TRACERS}/`));
  const client = sentry.init({
    dsn: "http://key@127.0.0.1:9/1",
    tracesSampleRate: 1,
    enableOpenTelemetrySetup: true,
    integrations: (own: readonly { readonly name: string }[]) => own.filter(({ name }) => !/^postgres$/i.test(name)),
    transport: () => ({ send: async () => ({ statusCode: 200 }), flush: async () => true }),
  });
  const begun: object[] = [];
  client.on("spanStart", (span) => begun.push(span));
  const { traceChannels } = await import("warmline/otel");
  traceChannels();
  return {
    async request(name, work) {
      let root: object = {};
      await sentry.startSpan({ name, forceTransaction: true }, (span) => {
        root = span;
        return work();
      });
      const { span_id: first } = sentry.spanToJSON(root);
      return begun
        .filter((span) => sentry.getRootSpan(span) === root)
        .map((span) => sentry.spanToJSON(span))
        .map(
          (json): ChannelSpan => ({
            name: json.name,
            id: json.span_id,
            parentId: json.span_id === first ? undefined : json.parent_span_id,
            attributes: json.attributes,
            ended: json.end_timestamp !== undefined,
            failed: json.status !== "ok",
            kept: shown(json),
          }),
        );
    },
    stop: async () => void (await sentry.close()),
  };
}
