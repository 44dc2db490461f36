import type { Attributes, HrTime } from "@opentelemetry/api";
import type { Database, QueryEvent } from "../entry/node.ts";
import type { QueryShape } from "../observe/query-shape.ts";

/** A call by OpenTelemetry's database conventions. */
export interface CallAttributes {
  /** Of the span. */
  readonly name: string;
  /** What samplers may decide by. */
  readonly atStart: Attributes;
  readonly atEnd: Attributes;
}

/** Where a database is. */
export interface Place {
  /** Attributes of every span and metric. */
  readonly attributes: Attributes;
  readonly database: string;
  /** Of its connections. */
  readonly poolName: string;
}

/** Left out of the attributes, as the conventions say. */
const DEFAULT_PORT = 5_432;

/** The place of a database, read from its plan. @throws ConfigError where the environment lacks something */
export function placeOf(db: Pick<Database, "plan">): Place {
  return placeAt(db.plan.server);
}

/** The place of a database at an address. */
export function placeAt({ host, port, database }: { readonly host: string; readonly port: number; readonly database: string }): Place {
  return {
    attributes: {
      "db.system.name": "postgresql",
      "db.namespace": database,
      "server.address": host,
      ...(port !== DEFAULT_PORT && { "server.port": port }),
    },
    database,
    poolName: `${host}:${port}/${database}`,
  };
}

/** What is told of a call, by an event or a message. */
export type Told = Pick<QueryEvent, "operation" | "texts" | "failure">;

/** The attributes of a call that ended, whose texts have these shapes. `error.type` is the SQLSTATE, or this package's own code where the server said nothing. */
export function describeCall(event: Told, shapes: readonly QueryShape[], { attributes, database }: Place): CallAttributes {
  const { texts, failure } = event;
  const operation = operationOf(event);
  const summary = summaryOf(shapes);
  return {
    name: summary ?? [operation, database].filter(Boolean).join(" "),
    atStart: {
      ...attributes,
      ...(operation !== undefined && { "db.operation.name": operation }),
      ...(summary !== undefined && { "db.query.summary": summary }),
      // one statement is no batch
      ...(texts.length > 1 && { "db.operation.batch.size": texts.length }),
    },
    atEnd: {
      ...(failure !== null && { "error.type": failure.sqlState ?? failure.code }),
      ...(failure?.sqlState && { "db.response.status_code": failure.sqlState }),
    },
  };
}

/** What is more than its one statement. */
function operationOf({ operation, texts }: Told): string | undefined {
  if (operation === "query" || (operation === "batch" && texts.length < 2)) return undefined;
  return operation.toUpperCase();
}

/** That of the one statement; of a batch `BATCH`, with the summary its statements have in common. */
function summaryOf(shapes: readonly QueryShape[]): string | undefined {
  const [summary, ...others] = new Set(shapes.map((shape) => shape.summary));
  if (shapes.length < 2) return summary ?? undefined;
  return others.length > 0 || summary === null ? "BATCH" : `BATCH ${summary}`;
}

/** Those of a batch one after the other, or the one they have in common. */
export function textOf(shapes: readonly QueryShape[]): string {
  return [...new Set(shapes.map(({ text }) => text))].join("; ");
}

/** Milliseconds since the epoch as the API takes them, whatever the process' clock did meanwhile. */
export function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
