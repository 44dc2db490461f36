import { holds, type WorkerFaultRow } from "./faults-worker-run.ts";

const columns: readonly (readonly [title: string, value: (row: WorkerFaultRow) => string])[] = [
  ["load", (row) => row.fault],
  ["warmline requests", (row) => String(row.rounds)],
  ["failed", (row) => String(row.warmlineFailures)],
  ["hung", (row) => String(row.warmlineHangs)],
  ["lost or doubled", (row) => String(row.warmlineMiscounts)],
  ["connects too many", (row) => String(row.warmlineSurplusConnects)],
  ["backends left", (row) => String(row.warmlineBackendsLeft)],
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
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, value]) => value(row)))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0));
  const [head = "", ...lines] = cells.map((line) => line.map(pad).join("  ").trimEnd());
  return [
    head,
    "─".repeat(Math.max(head.length, ...lines.map((line) => line.length))),
    ...lines,
    "",
    "A request writes one row and reads it back. Backends are counted a second after the last answer; over HTTP those that are not idle, for the",
    "endpoint keeps a pool. Beside warmline the same worker with pg.Pool({ max: 1 }) and with postgres at module scope, over TCP where warmline",
    "speaks HTTP: fewer requests, for they hang.",
  ].join("\n");
}

/** The rows as one JSON object. */
export function workerFaultsJson(rows: readonly WorkerFaultRow[]): string {
  return JSON.stringify({ rows });
}
