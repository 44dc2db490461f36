import { type ContenderName, type FaultRow, holds } from "../../test/lambda/faults/run.ts";
import { holdsTime, type TimeRow } from "../../test/lambda/faults/time-run.ts";
import { alignedTable, type Column } from "../report/aligned-table.ts";

const columns: readonly Column<FaultRow>[] = [
  ["fault", (row) => row.fault],
  ["warmline rounds", (row) => String(row.rounds)],
  ["failed", (row) => String(row.warmlineFailures)],
  ["died", (row) => String(row.warmlineDeaths)],
  ["lost or doubled", (row) => String(row.warmlineMiscounts)],
  ["connects too many", (row) => String(row.warmlineSurplusConnects)],
  ["p99", (row) => `${row.p99Ms.toFixed(2)} ms`],
  ["bare pg rounds", (row) => String(row.bareRounds)],
  ["failed", (row) => String(row.bareFailures)],
  ["died", (row) => String(row.bareDeaths)],
  ["", (row) => (holds(row) ? "held" : "FAILED")],
];

const timeColumns: readonly Column<TimeRow>[] = [
  ["time", (row) => row.fault],
  ["rounds", (row) => String(row.rounds)],
  ["replies lost", (row) => String(row.repliesLost)],
  ["wrong", (row) => String(row.wrong)],
  ["left running", (row) => String(row.leftRunning)],
  ["p99", (row) => `${row.p99Ms.toFixed(2)} ms`],
  ["", (row) => (holdsTime(row) ? "held" : "FAILED")],
];

/** The rows as aligned tables. */
export function faultsTable(rows: readonly FaultRow[], time: readonly TimeRow[]): string {
  const freezes = [
    ...alignedTable(columns, rows),
    "",
    "A round: an environment with an open connection is frozen, the fault strikes, its clock is a minute on, and the next call writes one row.",
    "Only rounds in which the network or the server saw the fault strike are counted. Bare pg hangs on swallowed packets: fewer rounds.",
  ];
  const times = [
    ...alignedTable(timeColumns, time),
    "",
    "A round: an invocation under lambdaHandler, whose database is silent, wakes after more than acquireTimeoutMs, or takes longer than it has.",
  ];
  return [...(rows.length > 0 ? freezes : []), ...(time.length > 0 ? times : [])].join("\n");
}

/** The rows as one JSON object. */
export function faultsJson(rows: readonly FaultRow[], time: readonly TimeRow[]): string {
  return JSON.stringify({ rows, time });
}

/** Shows how far the rounds are on standard error: one line that counts in a terminal, one for each series elsewhere. */
export function showFaultsProgress(fault: string, contender: ContenderName, done: number, rounds: number): void {
  const { stderr } = process;
  const what = `${fault} · ${contender}: ${rounds} rounds`;
  if (!stderr.isTTY) {
    if (done === 1) stderr.write(`${what} …\n`);
  } else if (done === rounds) stderr.write("\r\x1b[K");
  else stderr.write(`\r\x1b[K${what} … ${done}`);
}
