import { fromTools, type Span, shown, type Tracer } from "./tracer.ts";

interface Segment {
  readonly name: string;
  readonly timer: { hasEnd(): boolean };
  getAttributes(): object;
}

interface NewRelic {
  startBackgroundTransaction<T>(name: string, work: () => Promise<T>): Promise<T>;
  shutdown(options: object, done: () => void): void;
  readonly agent: {
    readonly tracer: {
      createSegment(options: { readonly name: string; readonly transaction?: { readonly name: string | null } }): Segment | null;
      getTransaction(): object;
    };
  };
}

/** New Relic in its mode for functions, in which it connects to nobody. */
export async function start(): Promise<Tracer> {
  Object.assign(process.env, {
    NEW_RELIC_NO_CONFIG_FILE: "true",
    NEW_RELIC_APP_NAME: "tracers",
    NEW_RELIC_LICENSE_KEY: "0".repeat(40),
    NEW_RELIC_SERVERLESS_MODE_ENABLED: "true",
    NEW_RELIC_LOG_ENABLED: "false",
  });
  const newrelic = fromTools<NewRelic>("newrelic");
  const begun: { readonly segment: Segment; readonly transaction: object }[] = [];
  const names = new Map<object, string>();
  const { tracer } = newrelic.agent;
  const { createSegment } = tracer;
  tracer.createSegment = (options) => {
    const segment = createSegment.call(tracer, options);
    if (segment !== null && (options.name === "connect" || options.name.startsWith("Datastore/")))
      begun.push({ segment, transaction: options.transaction as object });
    return segment;
  };
  return {
    keepsText: false,
    request: (name, work) =>
      newrelic.startBackgroundTransaction(name, () => {
        names.set(tracer.getTransaction(), name);
        return work();
      }),
    spans: () =>
      begun.map(
        ({ segment, transaction }): Span => ({
          statement: segment.name !== "connect",
          text: undefined,
          request: names.get(transaction),
          // what still runs when its transaction ends is cut off there, and says so in its name
          ended: segment.timer.hasEnd() && !segment.name.startsWith("Truncated"),
          failed: undefined,
          kept: shown(segment.name, segment.getAttributes()),
        }),
      ),
    stop: () => new Promise((resolve) => newrelic.shutdown({ collectPendingData: false }, () => resolve())),
  };
}
