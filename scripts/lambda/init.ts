import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HIGHEST_RATIOS, type InitReport, type InitRow, measureInit } from "./init-measure.ts";

const ROUNDS = 12;

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const folder = await mkdtemp(join(tmpdir(), "warmline-init-"));
try {
  const report = await measureInit(folder, ROUNDS);
  console.log(flags.json ? JSON.stringify(report) : table(report));
  if (!report.rows.every(holds)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

function holds({ ratio, highestRatio }: InitRow): boolean {
  return highestRatio === null || ratio <= highestRatio;
}

function table({ rows, runs, selfRatio }: InitReport): string {
  const line = (cells: readonly string[]) => [cells[0]?.padEnd(52), ...cells.slice(1).map((cell) => cell.padStart(10))].join("").trimEnd();
  return [
    line(["CPU, ms", "init", "×", "of it load", "×", ""]),
    ...rows.map((row) =>
      line([
        row.what,
        row.cpuMs.toFixed(1),
        row.ratio.toFixed(2),
        row.loadMs.toFixed(1),
        row.loadRatio.toFixed(2),
        row.highestRatio === null ? "" : holds(row) ? "held" : "too high",
      ]),
    ),
    "",
    `User and system time of ${runs} processes each, taken in turns, the median. Init is a process from its start until its handler is loaded,`,
    `and is to be at most ${HIGHEST_RATIOS.direct} × that of pg and Hono alone, with IAM ${HIGHEST_RATIOS.withIam} ×; these against themselves gave ${selfRatio.toFixed(2)}.`,
  ].join("\n");
}
