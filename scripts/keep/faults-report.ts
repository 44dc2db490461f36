import type { BreakerRow } from "../../test/keep/breaker/run.ts";
import { breakerHolds } from "../../test/keep/breaker/run.ts";
import { type Count, holds, type KeepRow } from "../../test/keep/faults/run.ts";
import { type Life, lifeHolds } from "../../test/keep/lives/run.ts";
import { alignedTable, type Column } from "../report/aligned-table.ts";

/** All that is measured of the recipes. */
export interface KeepReport {
  readonly rows: readonly KeepRow[];
  readonly breaker: readonly BreakerRow[];
  readonly life: Life;
}

const writes = ({ doubled, doneThoughFailed }: Count) => `${doubled} · ${doneThoughFailed}`;
const failed = ({ failedReads, failedWrites, rounds }: Count) => `${failedReads} · ${failedWrites} of ${rounds}`;

const columns: readonly Column<KeepRow>[] = [
  ["client", (row) => row.client],
  ["fault", (row) => row.fault],
  ["recipe: failed reads · writes", (row) => failed(row.kept)],
  ["doubled · done though failed", (row) => writes(row.kept)],
  ["longest", (row) => `${row.kept.maxMs} ms`],
  ["default: failed reads · writes", (row) => failed(row.byDefault)],
  ["doubled · done though failed", (row) => writes(row.byDefault)],
  ["longest", (row) => `${row.byDefault.maxMs} ms`],
  ["", (row) => (holds(row) ? "held" : "FAILED")],
];

const breakerColumns: readonly Column<BreakerRow>[] = [
  ["opossum", (row) => row.fault],
  ["rounds", (row) => row.rounds],
  ["recipe: failed", (row) => row.keptFailures],
  ["default: failed", (row) => row.defaultFailures],
  ["", (row) => (breakerHolds(row) ? "held" : "FAILED")],
];

/** The report as aligned tables. */
export function keepTable({ rows, breaker, life }: KeepReport): string {
  return [
    ...alignedTable(columns, rows, 2),
    "",
    "A round: a function with open connections is frozen, the fault strikes, its clock is a minute on, and the next call reads or writes.",
    "Without a freeze the answer to a write is cut off: the call may fail, and whether it was done its client cannot tell; it is never done twice.",
    "",
    ...alignedTable(breakerColumns, breaker),
    "",
    `${life.invocations} invocations, ${life.freezes} freezes: ${life.mysqlConnections} connection of MySQL, ${life.redisConnections} of Redis, by their own count, ${life.mysqlAborted} left without a goodbye; ${life.failed} failed. ${lifeHolds(life) ? "held" : "FAILED"}`,
  ].join("\n");
}

/** The report as one JSON object. */
export function keepJson(report: KeepReport): string {
  return JSON.stringify(report);
}

/** Whether everything was as it is promised. */
export function reportHolds({ rows, breaker, life }: KeepReport): boolean {
  return rows.every(holds) && breaker.every(breakerHolds) && lifeHolds(life);
}
