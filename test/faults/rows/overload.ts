import type { OverloadFigures } from "../errands/overload.ts";
import type { Fault } from "../fault.ts";

const STATEMENT_MS = 20;
const CONNECTIONS = 4;
const ACQUIRE_TIMEOUT_MS = 1_000;
/** Served within the acquire timeout also where a busy machine does a fifth of what it could. */
const WAITING = 40;
const OFFERED_MS = 30_000;
const QUICKLY_OFFERED_MS = 5_000;
/** A bare pool's queue grows as long as one offers. */
const BARE_OFFERED_MS = 5_000;
const LONGEST_REFUSAL_MS = 5;
const HEAP_KB = 4_096;

/** More than the database can do, for long. */
export const overload: readonly Fault[] = [
  {
    group: "overload",
    name: "ten times the capacity",
    // whose connections all callers share, however many they are
    ways: ["pool"],
    rounds: 1,
    alone: true,
    async round({ contender, deadlineMs, quick, restart, send }) {
      const bare = contender === "bare";
      const forMs = bare ? BARE_OFFERED_MS : quick ? QUICKLY_OFFERED_MS : OFFERED_MS;
      const options = { max: CONNECTIONS, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS, maxWaiting: WAITING };
      const input = { options, statementMs: STATEMENT_MS, factor: 10, forMs, drains: !bare };
      const { told } = await send("overload", input, { limitMs: forMs + 3 * deadlineMs + 10_000 });
      // what still waits in it would be served for minutes
      if (bare) await restart();
      const figures = told as OverloadFigures | undefined;
      if (figures === undefined) return { struck: false };
      return { struck: figures.offered > 5 * figures.admitted, figures, wrong: judge(figures) };
    },
  },
];

/** What of the promises about overload does not hold, in words. */
function judge(figures: OverloadFigures): string | undefined {
  const { throughput, capacity, p99AdmittedMs, p99StatementMs, p999RefusedCpuMs, refusedAfterTurn, late, failed, offered, heapGrowthKb } =
    figures;
  const promises: readonly (readonly [kept: boolean, otherwise: string])[] = [
    [throughput >= 0.8 * capacity, `${throughput} of ${capacity} statements a second are done`],
    [p99AdmittedMs <= ACQUIRE_TIMEOUT_MS + 2 * p99StatementMs, `what is admitted takes ${p99AdmittedMs} ms`],
    // a busy machine may stop the process at any moment: what counts is its own time, within one turn of its event loop
    [
      p999RefusedCpuMs < LONGEST_REFUSAL_MS && refusedAfterTurn === 0,
      `refusals take ${p999RefusedCpuMs} ms, and ${refusedAfterTurn} another turn`,
    ],
    [late <= offered / 100 && failed === 0, `${late} are refused late, and ${failed} fail otherwise`],
    [heapGrowthKb < HEAP_KB, `the heap grows by ${heapGrowthKb} KiB`],
  ];
  const broken = promises.filter(([kept]) => !kept).map(([, words]) => words);
  return broken.length === 0 ? undefined : broken.join(", ");
}
