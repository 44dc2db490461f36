import type { Attributes, Meter } from "@opentelemetry/api";
import type { QueryEvent } from "../entry/node.ts";
import type { SemconvOptions } from "./otel-connections.ts";

/** Source: OpenTelemetry's database conventions, `db.client.response.returned_rows`. */
const BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

type Counted = Pick<QueryEvent, "returnedRows">;

/** How many rows came, on spans and as a metric: in development in the conventions. */
export function watchRows(meter: Meter, { experimental = false }: SemconvOptions) {
  const rows = experimental
    ? meter.createHistogram("db.client.response.returned_rows", {
        description: "The actual number of records returned by the database operation.",
        unit: "{row}",
        advice: { explicitBucketBoundaries: BUCKETS },
      })
    : undefined;
  return {
    attributesOf: ({ returnedRows }: Counted): Attributes => returnedRowsOf({ experimental }, returnedRows),
    record({ returnedRows }: Counted, attributes: Attributes): void {
      if (returnedRows !== null) rows?.record(returnedRows, attributes);
    },
  };
}

/** The same on a span alone. */
export function returnedRowsOf({ experimental = false }: SemconvOptions, returnedRows: number | null): Attributes {
  return experimental && returnedRows !== null ? { "db.response.returned_rows": returnedRows } : {};
}
