import { alignedTable, type Column } from "../report/aligned-table.ts";
import type { Contender } from "./contender.ts";
import type { ProofRow } from "./run.ts";

const columns: readonly Column<ProofRow>[] = [
  ["runtime", (row) => row.runtime],
  ["transport", (row) => row.transport],
  ["invocations", (row) => row.invocations.toLocaleString("en")],
  ["server sessions", (row) => row.serverSessions.toLocaleString("en")],
  ["backends", (row) => row.backends.toLocaleString("en")],
  ["failures", (row) => row.failures.toLocaleString("en")],
  ["p50", (row) => `${row.p50Ms.toFixed(2)} ms`],
  ["p99", (row) => `${row.p99Ms.toFixed(2)} ms`],
  ["", (row) => (row.held ? "held" : "FAILED")],
];

const LEFT_COLUMNS = 2;

/** The proof as an aligned table, and below it why each transport was chosen. */
export function proofTable(rows: readonly ProofRow[]): string {
  const reasons = [...new Set(rows.map(({ runtime, why }) => `${runtime} · ${why}`))];
  return [
    ...alignedTable(columns, rows, LEFT_COLUMNS),
    "",
    "Server sessions are what Postgres itself counted (pg_stat_database.sessions).",
    ...reasons,
  ].join("\n");
}

/** The proof as one JSON object. */
export function proofJson(rows: readonly ProofRow[]): string {
  return JSON.stringify({
    rows: rows.map(({ runtime, transport, why, invocations, serverSessions, backends, failures, p50Ms, p99Ms }) => ({
      runtime,
      transport,
      why,
      invocations,
      serverSessions,
      backends,
      failures,
      p50Ms,
      p99Ms,
    })),
  });
}

/** Shows how far a proof is on standard error: one line that counts in a terminal, one line for each contender elsewhere. */
export function showProgress(invocations: number): (contender: Contender, done: number) => void {
  const { stderr } = process;
  return ({ runtime, transport }, done) => {
    const what = `${runtime} · ${transport}: ${invocations.toLocaleString("en")} invocations`;
    if (!stderr.isTTY) {
      if (done === 1) stderr.write(`${what} …\n`);
    } else if (done === invocations) stderr.write("\r\x1b[K");
    else if (done % 50 === 0) stderr.write(`\r\x1b[K${what} … ${Math.round((done / invocations) * 100)} %`);
  };
}
