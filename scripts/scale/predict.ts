import { type Fleet, type Outcome, simulate } from "./model.ts";
import type { RealRun } from "./run.ts";
import { type Way, type WayName, ways, workload } from "./workload.ts";

/** What the model is told of a way, from the real runs; all else it says by itself. */
export interface Calibration {
  /** How long statements took that waited for nobody, beside the run that is foretold, or where the machine was calmest: figures that are equally likely, milliseconds. */
  readonly besideMs: readonly number[];
  /** What the way adds to each: at the size where calls were the fastest, beyond what statements took beside it. */
  readonly addedMs: number;
  /** How long a refused invocation takes: the median of the smallest size that had any. */
  readonly refusalMs: number;
}

/** A size of a way, as it was seen, as the model says it, or both. */
export interface ScaleRow {
  readonly way: WayName;
  readonly environments: number;
  readonly seen: Outcome | null;
  readonly model: Outcome;
  /** What of the model is further from what was seen than it may be; null where nothing was seen. */
  readonly off: readonly string[] | null;
  /** Why nothing of it is judged, if it is not: the model has no processors, and this machine had none to spare. */
  readonly void: string | null;
}

/** How far the model may be from what was seen. */
export const tolerance = {
  /** Points of a hundred. */
  success: 5,
  /** As many times, or so many connections. */
  connections: 1.4,
  fewConnections: 4,
  p50: 1.5,
  p99: 3,
  /** With fewer calls than this the 99th of a hundred is the slowest one, and is not judged. */
  callsForP99: 100,
  /** As many times the server's own time a statement may take beside the run, at the median; beyond it the machine has no processor to spare. */
  beside: 1.4,
  /** So late an environment may wake up, milliseconds, nineteen times of twenty. */
  lateMs: 5,
} as const;

export function calibrate(way: Way, runs: readonly RealRun[]): Calibration {
  const own = runs.filter((run) => run.way === way.name);
  const each = (run: RealRun) => run.p50Ms / (way.sideBySide ? 1 : workload.statements);
  const fastest = own.filter(({ p50Ms }) => Number.isFinite(p50Ms)).toSorted((one, another) => each(one) - each(another))[0];
  if (fastest === undefined) throw new Error(`No call of ${way.title} succeeded.`);
  const calmest = runs.toSorted((one, another) => meanOf(one.besideMs) - meanOf(another.besideMs))[0] ?? fastest;
  return {
    besideMs: calmest.besideMs,
    addedMs: Math.max(0, each(fastest) - medianOf(fastest.besideMs)),
    refusalMs: own.find(({ refusalMs }) => refusalMs !== null)?.refusalMs ?? 0,
  };
}

const meanOf = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
export const medianOf = (sorted: readonly number[]) => sorted[sorted.length >> 1] ?? Number.NaN;

export function fleetOf(
  way: Way,
  environments: number,
  { besideMs, addedMs, refusalMs }: Calibration,
  slots: number = workload.slots,
): Fleet {
  const { thinkMs, statements } = workload;
  const statementMs = besideMs.map((beside) => beside + addedMs);
  return { environments, shared: way.shared, slots, statements, sideBySide: way.sideBySide, statementMs, thinkMs, refusalMs };
}

/** What was seen beside what the model says, and beyond it what the model says alone. */
export function compare(
  way: Way,
  sizes: readonly number[],
  { runs, slots }: { readonly runs: readonly RealRun[]; readonly slots: number },
) {
  const calibration = calibrate(way, runs);
  return sizes.map((environments): ScaleRow => {
    const seen = runs.find((run) => run.way === way.name && run.environments === environments) ?? null;
    const besideMs = seen?.besideMs ?? calibration.besideMs;
    const model = simulate(fleetOf(way, environments, { ...calibration, besideMs }, slots));
    if (seen === null) return { way: way.name, environments, seen, model, off: null, void: null };
    const reason = busyness(seen);
    return { way: way.name, environments, seen, model, off: reason === null ? differences(seen, model) : [], void: reason };
  });
}

function busyness({ besideMs, lateMs }: RealRun): string | null {
  const beside = medianOf(besideMs);
  if (beside > tolerance.beside * workload.statementMs) return `a statement took ${beside.toFixed(0)} ms beside it`;
  return lateMs > tolerance.lateMs ? `processes woke up ${lateMs.toFixed(0)} ms late` : null;
}

/** In words, what was seen that may not be on any machine, however busy: more connections than there are, or a call that a pooler refused. */
export function impossibilities(rows: readonly ScaleRow[], slots: number): readonly string[] {
  return rows.flatMap(({ way: name, environments, seen }) => {
    const way = ways.find((one) => one.name === name);
    if (seen === null || way === undefined) return [];
    const most = Math.min(way.shared ?? slots, slots);
    return [
      ...(seen.connections <= most ? [] : [`${way.title}, ${environments}: ${seen.connections} connections where ${most} are allowed.`]),
      ...(way.shared === null || seen.success === 1 ? [] : [`${way.title}, ${environments}: calls failed.`]),
    ];
  });
}

/** In words, what of a prediction was missed. */
export function differences(seen: Outcome, model: Outcome): readonly string[] {
  const isNear = (one: number, another: number, times: number) => Math.max(one, another) / Math.min(one, another) <= times;
  const nearConnections =
    isNear(seen.connections, model.connections, tolerance.connections) ||
    Math.abs(seen.connections - model.connections) <= tolerance.fewConnections;
  return [
    ...(Math.abs(seen.success - model.success) * 100 <= tolerance.success ? [] : ["success"]),
    ...(nearConnections ? [] : ["connections"]),
    ...(isNear(seen.p50Ms, model.p50Ms, tolerance.p50) ? [] : ["p50"]),
    ...(seen.calls < tolerance.callsForP99 || isNear(seen.p99Ms, model.p99Ms, tolerance.p99) ? [] : ["p99"]),
  ];
}

/** What still counts as well: nobody is refused, and the slowest of a hundred takes at most twice what one alone takes. */
const isWell = ({ success, p99Ms }: Outcome, aloneMs: number) => success > 0.999 && p99Ms <= 2 * aloneMs;

/** The most environments that a way serves well by the model, to the nearest fiftieth; `most` where it serves all of them. */
export function mostServed(fleet: Omit<Fleet, "environments">, most: number): number {
  const aloneMs = medianOf(fleet.statementMs) * (fleet.sideBySide ? 1 : fleet.statements);
  const serves = (environments: number) =>
    isWell(simulate({ ...fleet, environments }, { seconds: 15, warmUpSeconds: 5, seed: 5 }), aloneMs);
  if (serves(most)) return most;
  let [good, bad] = [0, most];
  while (bad - good > Math.max(1, good / 50)) {
    const middle = Math.round((good + bad) / 2);
    if (serves(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
