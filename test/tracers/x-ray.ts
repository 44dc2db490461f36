import { fromTools, type Span, shown, type Tracer } from "./tracer.ts";

interface Subsegment {
  readonly name: string;
  readonly in_progress?: boolean;
  readonly fault?: boolean;
  readonly sql?: { readonly sanitized_query?: string };
  readonly subsegments?: readonly Subsegment[];
}

interface XRay {
  readonly Segment: new (name: string) => Subsegment;
  getNamespace(): { runPromise<T>(work: () => Promise<T>): Promise<T> };
  setSegment(segment: Subsegment): void;
  setContextMissingStrategy(name: "IGNORE_ERROR"): void;
}

/** AWS X-Ray. Its segments are never closed, so nothing is sent to its daemon. */
export async function start(): Promise<Tracer> {
  process.env.AWS_XRAY_COLLECT_SQL_QUERIES = "1";
  const xray = fromTools<XRay>("aws-xray-sdk-core");
  xray.setContextMissingStrategy("IGNORE_ERROR");
  const { default: pg } = await import("pg");
  fromTools<(module: unknown) => void>("aws-xray-sdk-postgres")(pg);
  const segments: Subsegment[] = [];
  const below = ({ subsegments = [] }: Subsegment): readonly Subsegment[] => subsegments.flatMap((one) => [one, ...below(one)]);
  return {
    keepsText: true,
    request: (name, work) =>
      xray.getNamespace().runPromise(() => {
        const segment = new xray.Segment(name);
        segments.push(segment);
        xray.setSegment(segment);
        return work();
      }),
    spans: () =>
      segments.flatMap((segment) =>
        below(segment).map(
          (one): Span => ({
            statement: true,
            text: one.sql?.sanitized_query,
            request: segment.subsegments?.includes(one) ? segment.name : `below another in ${segment.name}`,
            ended: one.in_progress !== true,
            failed: one.fault === true,
            kept: shown(one),
          }),
        ),
      ),
    stop: async () => {},
  };
}
