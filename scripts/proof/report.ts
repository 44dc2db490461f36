import { styleText } from "node:util";
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
  ["", ({ held }) => (held === null ? "compare" : held ? "held" : "FAILED")],
];

const LEFT_COLUMNS = 2;

/** Colours a text where its reader is a terminal. */
export type Paint = (format: "green" | "red" | "dim", text: string) => string;

/** In colour on a terminal alone, and where NO_COLOR does not say otherwise. */
export const paintStdout: Paint = (format, text) => styleText(format, text, { stream: process.stdout });

const colours = { held: "green", FAILED: "red", compare: "dim" } as const;

/** The proof as an aligned table, and below it why each transport was chosen. */
export function proofTable(rows: readonly ProofRow[], paint: Paint = (_, text) => text): string {
  const lines = alignedTable(columns, rows, LEFT_COLUMNS).map((line) =>
    line.replace(/\b(held|FAILED|compare)$/, (word) => paint(colours[word as keyof typeof colours], word)),
  );
  const reasons = [...new Set(rows.map(({ runtime, why }) => `${runtime} · ${why}`))];
  return [
    ...lines,
    "",
    "Server sessions are what Postgres itself counted (pg_stat_database.sessions). To compare: the same work without warmline.",
    ...reasons,
  ].join("\n");
}

/** The proof as one JSON object. */
export function proofJson(rows: readonly ProofRow[]): string {
  return JSON.stringify({
    rows: rows.map(({ runtime, transport, why, invocations, serverSessions, backends, failures, p50Ms, p99Ms, held }) => ({
      runtime,
      transport,
      why,
      invocations,
      serverSessions,
      backends,
      failures,
      p50Ms,
      p99Ms,
      held,
    })),
  });
}

/** Shows how far a proof is on standard error: one line that counts in a terminal, one line for each contender elsewhere. */
export function showProgress(invocations: number): (contender: Contender, done: number) => void {
  const { stderr } = process;
  return ({ runtime, transport, atMost = invocations }, done) => {
    const all = Math.min(invocations, atMost);
    const what = `${runtime} · ${transport}: ${all.toLocaleString("en")} invocations`;
    if (!stderr.isTTY) {
      if (done === 1) stderr.write(`${what} …\n`);
    } else if (done === all) stderr.write("\r\x1b[K");
    else if (done % 50 === 0) stderr.write(`\r\x1b[K${what} … ${Math.round((done / all) * 100)} %`);
  };
}
