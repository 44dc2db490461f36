import type { World } from "../../demo/world.ts";
import { type Tally, tally, type Way } from "./load.ts";

/** What one load came to on a worker with warmline, and on the same worker with pg's own pool and with `postgres` at module scope. */
export interface WorkerFaultRow {
  /** The way to the database, and how the requests came. */
  readonly fault: string;
  /** Requests. */
  readonly rounds: number;
  readonly warmlineFailures: number;
  readonly warmlineHangs: number;
  readonly warmlineMiscounts: number;
  readonly warmlineSurplusConnects: number;
  /** A second after the last answer. */
  readonly warmlineBackendsAfterASecond: number;
  readonly warmlineBackendsLeft: number;
  readonly bareRounds: number;
  readonly bareFailures: number;
  readonly bareHangs: number;
  readonly postgresRounds: number;
  readonly postgresFailures: number;
  readonly postgresHangs: number;
  /** Of whole requests over warmline, milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How the loads are run. */
export interface WorkerFaultsOptions {
  readonly rounds: number;
  /** Requests to the workers that are expected to hang. */
  readonly hangingRounds: number;
  readonly onProgress: (load: string, contender: string, rounds: number) => void;
}

const ways: readonly Way[] = ["http", "hyperdrive", "tcp"];
const loads = [
  { title: "one after the other", atOnce: 1, worker: "warmline", scopes: 1, times: 1 },
  { title: "50 at once", atOnce: 50, worker: "warmline", scopes: 1, times: 1 },
  // a stream, and a scope in waitUntil once it has ended
  { title: "going on behind the response, 50 at once", atOnce: 50, worker: "behind", scopes: 2, times: 2 },
] as const;

/** Longer than any answer takes on a busy machine. */
const HANGS_AFTER_MS = 60_000;
/** For workers that hang, and would for good. */
const NAIVE_HANGS_AFTER_MS = 2_000;

/** Sends every load to the three workers, one after the other, and counts. */
export async function runWorkerFaults(world: World, { rounds, hangingRounds, onProgress }: WorkerFaultsOptions): Promise<WorkerFaultRow[]> {
  const rows: WorkerFaultRow[] = [];
  const known = new Map<string, Tally>();

  /** Neither speaks HTTP: there they go over TCP, and what is known of that is not asked again. */
  async function naive(name: "bare" | "postgres", way: Way, { title, atOnce }: (typeof loads)[number]): Promise<Tally> {
    const own = way === "http" ? "tcp" : way;
    const key = `${name}, ${own}, ${atOnce}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    onProgress(`${own}, ${title}`, name, hangingRounds);
    const load = { way: own, rounds: hangingRounds, atOnce, hangsAfterMs: NAIVE_HANGS_AFTER_MS } as const;
    const counted = await tally(world, `scripts/worker/faults/${name}.ts`, load);
    known.set(key, counted);
    return counted;
  }

  for (const way of ways) {
    // over HTTP there is nothing to connect
    for (const load of loads.filter(({ worker }) => way !== "http" || worker === "warmline")) {
      const fault = `${way}, ${load.title}`;
      const { atOnce, worker, scopes } = load;
      const sent = rounds * load.times;
      onProgress(fault, "warmline", sent);
      const warmline = await tally(world, `scripts/worker/faults/${worker}.ts`, {
        way,
        rounds: sent,
        atOnce,
        scopes,
        hangsAfterMs: HANGS_AFTER_MS,
      });
      const bare = await naive("bare", way, load);
      const postgres = await naive("postgres", way, load);
      rows.push({
        fault,
        rounds: sent,
        warmlineFailures: warmline.failures,
        warmlineHangs: warmline.hangs,
        warmlineMiscounts: warmline.miscounts,
        warmlineSurplusConnects: warmline.surplusConnects,
        warmlineBackendsAfterASecond: warmline.backendsAfterASecond,
        warmlineBackendsLeft: warmline.backendsLeft,
        bareRounds: hangingRounds,
        bareFailures: bare.failures,
        bareHangs: bare.hangs,
        postgresRounds: hangingRounds,
        postgresFailures: postgres.failures,
        postgresHangs: postgres.hangs,
        p50Ms: percentile(warmline.timesMs, 50),
        p99Ms: percentile(warmline.timesMs, 99),
      });
    }
  }
  return rows;
}

/** From so many requests on, nothing may be left after a second; fewer are a check on a machine that may be busy, which has ten. */
const FULL_ROUNDS = 1_000;

/** Whether warmline answered every request, wrote everything once, connected no more than once for each, and left nothing behind. */
export function holds(row: WorkerFaultRow): boolean {
  const { warmlineFailures, warmlineHangs, warmlineMiscounts, warmlineSurplusConnects } = row;
  const left = row.rounds >= FULL_ROUNDS ? row.warmlineBackendsAfterASecond : row.warmlineBackendsLeft;
  return warmlineFailures + warmlineHangs + warmlineMiscounts + warmlineSurplusConnects + left === 0;
}

/** Nearest rank; to a hundredth. */
function percentile(timesMs: readonly number[], percent: number): number {
  const sorted = timesMs.toSorted((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
  return Math.round(value * 100) / 100;
}
