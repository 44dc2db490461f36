import { setTimeout as delay, setImmediate } from "node:timers/promises";
import type { DatabaseOptions } from "../../../src/entry/node.ts";
import type { Stage } from "../stage.ts";
import type { Subject } from "../subject.ts";

/** More than a database can do. */
export interface Overload {
  /** With `max`, the connections. */
  readonly options: DatabaseOptions & { readonly max: number };
  /** What a statement takes in the server. */
  readonly statementMs: number;
  /** How many times the capacity is offered. */
  readonly factor: number;
  readonly forMs: number;
  /** Whether what still waits at the end is waited for. */
  readonly drains: boolean;
}

/** What came of it. Rates are statements for each second, sizes KiB. */
export type OverloadFigures = {
  readonly offered: number;
  readonly admitted: number;
  readonly refused: number;
  /** Refused only after having waited, by the acquire timeout. */
  readonly late: number;
  /** Failed in another way. */
  readonly failed: number;
  /** With as many callers as connections, just before. */
  readonly capacity: number;
  /** What that would be if nothing but the statements took time. */
  readonly nominalCapacity: number;
  /** What one statement took then. */
  readonly p99StatementMs: number;
  readonly throughput: number;
  readonly throughputOfCapacityPercent: number;
  readonly throughputOfNominalPercent: number;
  readonly p99AdmittedMs: number;
  /** By the clock, so with all the time a busy machine gives to others. */
  readonly p99RefusedMs: number;
  /** How many of the refusals took less than 5 ms by the clock. */
  readonly refusedUnder5MsPercent: number;
  /** Of this thread's own time; the sweeping of memory is in it. */
  readonly p999RefusedCpuMs: number;
  readonly longestRefusedCpuMs: number;
  /** Refused only in a later turn of the event loop. */
  readonly refusedAfterTurn: number;
  /** Neither answered nor refused when the offering ended. */
  readonly waiting: number;
  /** The heap at the end beyond that after a third of the time, both swept. */
  readonly heapGrowthKb: number;
};

const CALIBRATION_MS = 2_000;
const MOST_IN_A_TURN = 4;

export const overloadErrands = {
  /** Offers statements at a steady rate, whatever becomes of them. */
  async overload({ subject }: Stage, { options, statementMs, factor, forMs, drains }: Overload): Promise<OverloadFigures> {
    const other = await subject.again(options);
    const { capacity, p99StatementMs } = await calibrate(other, { callers: options.max, statementMs });
    const nominalCapacity = (options.max / statementMs) * 1_000;
    const rate = (nominalCapacity / 1_000) * factor;
    const admitted = createSeries(rate * forMs);
    const refused = createSeries(rate * forMs);
    const refusedCpu = createSeries(rate * forMs);
    const counts = { offered: 0, late: 0, failed: 0, refusedAfterTurn: 0 };
    const calls = new Set<Promise<void>>();
    let turn = 0;

    const offer = () => {
      counts.offered += 1;
      const [startedAt, cpuBefore, startedIn] = [performance.now(), cpuMs(), turn];
      const call = other.sleep(statementMs).then(
        () => admitted.add(performance.now() - startedAt),
        ({ code }: { readonly code?: unknown }) => {
          if (code === "ACQUIRE_TIMEOUT") counts.late += 1;
          else if (code !== "QUEUE_FULL") counts.failed += 1;
          else {
            refused.add(performance.now() - startedAt);
            refusedCpu.add(cpuMs() - cpuBefore);
            if (turn !== startedIn) counts.refusedAfterTurn += 1;
          }
        },
      );
      calls.add(call);
      void call.finally(() => calls.delete(call));
    };

    const startedAt = performance.now();
    let heapBefore: number | undefined;
    for (let passed = 0; passed < forMs; passed = performance.now() - startedAt) {
      turn += 1;
      // after a pause of this process what is due comes over several turns
      const due = Math.floor(passed * rate) - counts.offered;
      for (let made = 0; made < Math.min(due, MOST_IN_A_TURN); made++) offer();
      await (due > MOST_IN_A_TURN ? setImmediate() : delay(1));
      // in a turn of its own: a sweep stops everything
      if (heapBefore === undefined && passed > forMs / 3) heapBefore = sweptHeap();
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const done = admitted.size();
    const heapGrowthKb = Math.round((sweptHeap() - (heapBefore ?? 0)) / 1_024);
    const waiting = calls.size;
    if (drains) {
      await Promise.all(calls);
      await other.close();
    }
    return {
      ...counts,
      admitted: done,
      refused: refused.size(),
      capacity,
      nominalCapacity,
      p99StatementMs,
      throughput: Math.round(done / seconds),
      throughputOfCapacityPercent: percentOf(done / seconds, capacity),
      throughputOfNominalPercent: percentOf(done / seconds, nominalCapacity),
      p99AdmittedMs: admitted.percentile(99),
      p99RefusedMs: refused.percentile(99),
      refusedUnder5MsPercent: percentOf(refused.under(5), refused.size()),
      p999RefusedCpuMs: refusedCpu.percentile(99.9),
      longestRefusedCpuMs: refusedCpu.percentile(100),
      waiting,
      heapGrowthKb,
    };
  },
} as const;

/** What the database does for as many callers as there are connections: statements for each second, and the time of one. */
async function calibrate(subject: Subject, { callers, statementMs }: { readonly callers: number; readonly statementMs: number }) {
  const times = createSeries((CALIBRATION_MS / statementMs) * callers);
  const endAt = performance.now() + CALIBRATION_MS;
  const caller = async () => {
    while (performance.now() < endAt) {
      const startedAt = performance.now();
      await subject.sleep(statementMs);
      times.add(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { capacity: Math.round(times.size() / (CALIBRATION_MS / 1_000)), p99StatementMs: times.percentile(99) };
}

/** Times in a space taken at once, which does not grow while memory is watched. */
function createSeries(most: number) {
  const times = new Float64Array(Math.ceil(most) + 1);
  let size = 0;
  return {
    add(ms: number): void {
      times[size++] = ms;
    },
    size: () => size,
    under: (ms: number) => times.subarray(0, size).filter((time) => time < ms).length,
    /** Nearest rank, to a hundredth; 0 of nothing. */
    percentile(percent: number): number {
      const sorted = times.slice(0, size).sort();
      return Math.round((sorted[Math.max(0, Math.ceil((size * percent) / 100) - 1)] ?? 0) * 100) / 100;
    },
  };
}

/** To a hundredth; 0 of nothing. */
function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
}

/** Time this thread has worked so far, milliseconds. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function sweptHeap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
