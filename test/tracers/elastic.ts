import { AsyncResource } from "node:async_hooks";
import { register } from "node:module";
import { pathToFileURL } from "node:url";
import { fromTools, type Span, shown, type Tracer } from "./tracer.ts";

interface ElasticSpan {
  readonly name: string;
  readonly ended: boolean;
  readonly outcome: string;
  readonly action?: string;
  readonly transaction: { readonly name: string };
  setDbContext(context: { readonly statement?: string }): void;
}

interface Elastic {
  start(options: object): void;
  startTransaction(name: string): { end(): void };
  destroy(): Promise<void>;
  readonly _instrumentation: { createSpan(...args: unknown[]): ElasticSpan | null };
}

/** Elastic APM, which is told to send nothing. */
export async function start(): Promise<Tracer> {
  const elastic = fromTools<Elastic>("elastic-apm-node");
  elastic.start({
    serviceName: "tracers",
    serverUrl: "http://127.0.0.1:9",
    disableSend: true,
    cloudProvider: "none",
    metricsInterval: "0s",
    centralConfig: false,
    exitSpanMinDuration: "0ms",
    spanCompressionEnabled: false,
    captureExceptions: false,
    logLevel: "off",
  });
  register("elastic-apm-node/loader.mjs", pathToFileURL(`${process.env.TRACERS}/`));
  const begun: { readonly span: ElasticSpan; db: { readonly statement?: string } }[] = [];
  const instrumentation = elastic._instrumentation;
  const { createSpan } = instrumentation;
  instrumentation.createSpan = (...args) => {
    const span = createSpan.apply(instrumentation, args);
    if (span === null || args[2] !== "postgresql") return span;
    // what a span is given is dropped when it has been encoded
    const noted = { span, db: {} };
    const { setDbContext } = span;
    span.setDbContext = (context) => {
      noted.db = context;
      setDbContext.call(span, context);
    };
    begun.push(noted);
    return span;
  };
  return {
    keepsText: true,
    request: (name, work) =>
      // a transaction is current from its start on: of this request alone
      new AsyncResource("request").runInAsyncScope(async () => {
        await null;
        const transaction = elastic.startTransaction(name);
        return work().finally(() => transaction.end());
      }),
    spans: () =>
      begun.map(
        ({ span, db }): Span => ({
          statement: true,
          text: db.statement,
          request: span.transaction.name,
          ended: span.ended,
          failed: undefined,
          kept: shown(span.name, db, span.outcome),
        }),
      ),
    stop: () => elastic.destroy(),
  };
}
