import { subscribe } from "node:diagnostics_channel";
import { startDatadogAgent } from "./datadog-agent.ts";
import { fromTools, type Span, shown, type Tracer } from "./tracer.ts";

interface DatadogSpan {
  readonly _duration?: number;
  context(): { readonly _tags: Readonly<Record<string, unknown>>; readonly _trace: { readonly started: readonly DatadogSpan[] } };
}

/** What Datadog keeps of one call of pg's. */
interface PgContext {
  readonly currentStore?: { readonly span: DatadogSpan };
}

interface Datadog {
  init(options: object): unknown;
  trace<T>(name: string, options: object, work: () => Promise<T>): Promise<T>;
}

/** Datadog, with an agent on loopback that takes everything and keeps nothing. */
export async function startDatadog(name: "dd-trace" | "dd-trace-5", environment: Readonly<Record<string, string>> = {}): Promise<Tracer> {
  const agent = await startDatadogAgent();
  Object.assign(process.env, environment);
  const datadog = fromTools<Datadog>(name);
  datadog.init({ service: "tracers" });
  fromTools(`${name}/register.js`);
  const begun: { readonly context: PgContext; readonly root: DatadogSpan | undefined; readonly statement: boolean }[] = [];
  for (const what of ["query", "pool:acquire"]) {
    subscribe(`apm:pg:${what}:start`, (message) => {
      const context = message as PgContext;
      // a trace forgets its spans when it is flushed; that of a wait for a connection is made after this
      begun.push({ context, root: context.currentStore?.span.context()._trace.started[0], statement: what === "query" });
    });
  }
  return {
    keepsText: true,
    request: (resource, work) => datadog.trace("request", { resource }, work),
    spans: () =>
      begun.flatMap(({ context: { currentStore }, root, statement }): readonly Span[] => {
        if (currentStore === undefined) return [];
        const { span } = currentStore;
        const { _tags: tags } = span.context();
        return [
          {
            statement,
            text: tags["resource.name"] as string | undefined,
            request: root === span ? undefined : (root?.context()._tags["resource.name"] as string | undefined),
            ended: span._duration !== undefined,
            failed: Boolean(tags.error) || tags["error.type"] !== undefined,
            kept: shown(tags),
          },
        ];
      }),
    stop: async () => {
      agent.close();
    },
  };
}
