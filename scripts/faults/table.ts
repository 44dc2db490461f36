import { breaches, type SuiteRow, type Tally } from "../../test/faults/run.ts";
import { alignedTable, type Column } from "../report/aligned-table.ts";

const counts = ["lost", "doubled", "lied", "hung", "leaked", "unhandled", "deaths"] as const satisfies readonly (keyof Tally)[];

const columns: readonly Column<SuiteRow>[] = [
  ["fault", (row) => `${row.group}: ${row.fault}`],
  ["transport", (row) => row.transport],
  ["rounds", (row) => String(row.rounds)],
  ["lost doubled lied hung leaked unhandled died", (row) => counts.map((name) => row[name]).join(" ")],
  ["recovery", (row) => milliseconds(row.recoveryMs)],
  ["│ bare rounds", (row) => `│ ${row.bare.rounds}`],
  ["the same", (row) => counts.map((name) => row.bare[name]).join(" ")],
  ["recovery", (row) => milliseconds(row.bare.recoveryMs)],
  ["", (row) => (breaches(row).length === 0 ? "held" : "FAILED")],
];

/** The rows as an aligned table. */
export function faultTable(rows: readonly SuiteRow[]): string {
  return [
    ...alignedTable(columns, rows, columns.length),
    "",
    "Each row: lost (acknowledged, not in the table), doubled (there twice), lied (said to be undone, and there), hung (past the deadline), leaked",
    "(backends left), unhandled rejections, processes that died; median time to the first success after the cause was gone. Only rounds in which the",
    "proxy or the server saw the fault strike are counted; a process that hung or died is started again. Bare: pg or Neon's driver as their documentation shows them.",
  ].join("\n");
}

/** One row as a line of progress. */
export function faultLine(row: SuiteRow): string {
  const words = breaches(row);
  const bare = counts.filter((name) => row.bare[name] > 0).map((name) => `${name} ${row.bare[name]}`);
  const outcome = words.length === 0 ? `held, recovery ${milliseconds(row.recoveryMs)}` : `FAILED: ${words.join("; ")}`;
  const own = `${row.group}: ${row.fault} · ${row.transport} · ${row.rounds} rounds · ${outcome}`;
  const figures = row.figures === undefined ? "" : ` · ${JSON.stringify(row.figures)} · bare: ${JSON.stringify(row.bare.figures)}`;
  return `${own} · bare: ${bare.join(", ") || "held"}${figures}`;
}

/** The rows as one JSON object, with the names of what could not be brought about. */
export function faultJson(rows: readonly SuiteRow[], broken: readonly string[]): string {
  return JSON.stringify({ rows, broken });
}

function milliseconds(value: number | null): string {
  return value === null ? "none" : `${value} ms`;
}
