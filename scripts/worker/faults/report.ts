import { alignedTable, type Column } from "../../report/aligned-table.ts";
import { holds, type WorkerFaultRow } from "./run.ts";

const columns: readonly Column<WorkerFaultRow>[] = [
  ["load", (row) => row.fault],
  ["warmline requests", (row) => String(row.rounds)],
  ["failed", (row) => String(row.warmlineFailures)],
  ["hung", (row) => String(row.warmlineHangs)],
  ["lost or doubled", (row) => String(row.warmlineMiscounts)],
  ["connects too many", (row) => String(row.warmlineSurplusConnects)],
  ["backends after 1 s", (row) => String(row.warmlineBackendsAfterASecond)],
  ["left", (row) => String(row.warmlineBackendsLeft)],
  ["p50", (row) => `${row.p50Ms.toFixed(2)} ms`],
  ["p99", (row) => `${row.p99Ms.toFixed(2)} ms`],
  ["pg.Pool requests", (row) => String(row.bareRounds)],
  ["failed", (row) => String(row.bareFailures)],
  ["postgres requests", (row) => String(row.postgresRounds)],
  ["failed", (row) => String(row.postgresFailures)],
  ["", (row) => (holds(row) ? "held" : "FAILED")],
];

/** The rows as an aligned table. */
export function workerFaultsTable(rows: readonly WorkerFaultRow[]): string {
  return [
    ...alignedTable(columns, rows),
    "",
    "A request writes one row and reads it back; behind the response it streams the row, and reads it once more in a waitUntil. Left are the backends that are there ten seconds later: from 1,000 requests on none may be after",
    "one; over HTTP those that are not idle, for the endpoint keeps a pool. Beside warmline the same worker with pg.Pool({ max: 1 }) and with",
    "postgres at module scope, over TCP where warmline speaks HTTP: fewer requests, for they hang.",
  ].join("\n");
}

/** The rows as one JSON object. */
export function workerFaultsJson(rows: readonly WorkerFaultRow[]): string {
  return JSON.stringify({ rows });
}
