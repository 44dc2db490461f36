import type { Database, DatabaseEvent } from "../entry/node.ts";

/** Metrics in CloudWatch's Embedded Metric Format. */
export interface EmfOptions {
  /** Of the metrics in CloudWatch: 1 to 256 letters, digits and `.-_/#:`, not beginning with `:` or `AWS/`. */
  readonly namespace: string;
}

/** What the collector is given by the platform. */
export interface EmfOutput {
  /** A line without anything before or behind it: `console.log` puts time and request in front on Lambda. */
  readonly write: (line: string) => void;
  readonly now: () => number;
  /** The one dimension of the metrics. */
  readonly functionName: string;
}

/** Source: Amazon CloudWatch documentation, "Specification: Embedded metric format", Target members. */
const MOST_VALUES = 100;

const counters = {
  QueryFailures: 0,
  Retries: 0,
  Connects: 0,
  Reuses: 0,
  Thaws: 0,
  Discards: 0,
  Leaks: 0,
};
type Counter = keyof typeof counters;

const counterOf: Partial<Record<DatabaseEvent["type"], Counter>> = {
  retry: "Retries",
  connect: "Connects",
  reuse: "Reuses",
  thaw: "Thaws",
  discard: "Discards",
  leak: "Leaks",
};

const metrics = [{ Name: "QueryDuration", Unit: "Milliseconds" }, ...Object.keys(counters).map((name) => ({ Name: name, Unit: "Count" }))];

/**
 * Collects what happens to a database's calls; the function it returns writes it as one line, or as none when nothing happened. A hundred
 * durations fill a line, which is then written at once.
 *
 * @throws RangeError for a namespace CloudWatch does not take
 */
export function collectEmf(db: Database, { namespace }: EmfOptions, { write, now, functionName }: EmfOutput): () => void {
  if (!/^(?!AWS\/|:)[\w.\-/#:]{1,256}$/.test(namespace)) {
    throw new RangeError("The namespace of emf is 1 to 256 letters, digits and .-_/#:, and begins with neither : nor AWS/.");
  }
  let durationsMs: number[] = [];
  let counts = { ...counters };

  function flush(): void {
    if (durationsMs.length === 0 && Object.values(counts).every((count) => count === 0)) return;
    const directive = { Namespace: namespace, Dimensions: [["FunctionName"]], Metrics: metrics.slice(durationsMs.length > 0 ? 0 : 1) };
    const values = { ...(durationsMs.length > 0 && { QueryDuration: durationsMs }), ...counts };
    const properties = { FunctionName: functionName, Database: db.plan.server.database };
    write(JSON.stringify({ _aws: { Timestamp: now(), CloudWatchMetrics: [directive] }, ...properties, ...values }));
    durationsMs = [];
    counts = { ...counters };
  }

  db.subscribe((event) => {
    const counter = counterOf[event.type];
    if (counter !== undefined) counts[counter]++;
    // what a transaction or session takes is also its callback's time; the statements in it are told by themselves
    if (event.type !== "query" || event.operation === "transaction" || event.operation === "session") return;
    if (event.failure !== null) counts.QueryFailures++;
    durationsMs.push(Number(event.durationMs.toFixed(3)));
    if (durationsMs.length === MOST_VALUES) flush();
  });
  return flush;
}
