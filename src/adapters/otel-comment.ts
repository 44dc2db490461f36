import { isSpanContextValid, TraceFlags, trace } from "@opentelemetry/api";

/**
 * For the option `sqlCommenter`: the trace context of the span that is active, as a comment in SQLCommenter's form. None where no span is active,
 * where it is not sampled, and beside a text that has a comment, or what looks like one.
 *
 * @example const db = createDatabase({ sqlCommenter });
 */
export function sqlCommenter(text: string): string {
  const span = trace.getActiveSpan()?.spanContext();
  // nobody could look up what is not kept, and its statement would lose its name for nothing
  if (span === undefined || !isSpanContextValid(span) || !(span.traceFlags & TraceFlags.SAMPLED)) return "";
  if (text.includes("--") || text.includes("/*")) return "";
  const { traceId, spanId, traceFlags, traceState } = span;
  // eight bits, whatever a propagator took
  const flags = (traceFlags & 0xff).toString(16).padStart(2, "0");
  const state = traceState?.serialize();
  return `/*traceparent='00-${traceId}-${spanId}-${flags}'${state ? `,tracestate='${encode(state)}'` : ""}*/`;
}

/** As in a URL, and without what could end the value or the comment. */
const encode = (value: string) =>
  encodeURIComponent(value).replace(/['*()!]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
