import { type Expected, SECRET, type Span, shown, type Tracer } from "./tracer.ts";

/** What is wrong with a tracer's spans. */
export interface Judged {
  /** How many belong to the requests. */
  readonly spans: number;
  readonly problems: readonly string[];
}

/** Each statement has one span, in the request that sent it, failed if it did; all spans are ended, and none holds a value. */
export function judgeSpans(tracer: Tracer, expected: Expected): Judged {
  const spans = tracer.spans();
  const statements = spans.filter(({ statement }) => statement);
  const problems: string[] = [];
  let counted = 0;
  for (const { ended, kept, request } of spans) {
    if (!ended) problems.push(`not ended, in ${request}: ${kept}`);
    if (kept.includes(SECRET)) problems.push(`a value is kept, in ${request}: ${kept}`);
  }
  if (!statements.some(({ request }) => request === "sessions")) {
    problems.push("A query of pg's own has no span: the tracer is not at work.");
  }
  for (const [request, { texts, failing }] of expected) {
    const own = statements.filter((span) => span.request === request);
    counted += own.length;
    const told = tracer.keepsText ? textsOf(own) : own.length;
    const wanted = tracer.keepsText ? texts.toSorted() : texts.length;
    if (!same(told, wanted)) problems.push(`${request}: ${shown(wanted)} was sent, and there are spans for ${shown(told)}`);
    const failed = textsOf(own.filter((span) => span.failed));
    if (own.some((span) => span.failed !== undefined) && !same(failed, failing.toSorted())) {
      problems.push(`${request}: ${shown(failing)} failed, and there are spans that failed for ${shown(failed)}`);
    }
  }
  for (const { request, kept } of statements) {
    if (request !== "sessions" && !expected.has(request ?? "")) problems.push(`in no request of the check, but in ${request}: ${kept}`);
  }
  return { spans: counted, problems };
}

function textsOf(spans: readonly Span[]): readonly string[] {
  return spans.map(({ text = "no text" }) => text).sort();
}

function same(one: unknown, other: unknown): boolean {
  return shown(one) === shown(other);
}
