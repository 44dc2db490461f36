import type { Result } from "../transports/transport.ts";
import type { QueryEvent } from "./events.ts";

/** What is told of the results of a call that succeeded; of a stream that of its total. */
export function tellResults(
  results: readonly Result[],
  operation: QueryEvent["operation"],
): Pick<QueryEvent, "via" | "rowCount" | "returnedRows"> {
  const sum = (count: (result: Result) => number | null) => results.reduce<number | null>((all, result) => add(all, count(result)), null);
  const rowCount = sum((result) => result.rowCount);
  return {
    via: results.at(-1)?.via ?? null,
    rowCount,
    returnedRows: operation === "stream" ? rowCount : sum(({ rows }) => rows.length),
  };
}

const add = (all: number | null, count: number | null): number | null => (count === null ? all : count + (all ?? 0));
