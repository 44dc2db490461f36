import { setTimeout as delay } from "node:timers/promises";
import type { Seen } from "./environment-process.ts";
import { openEnvironments, STARTS_AT_ONCE } from "./environments.ts";
import { openGround, ownMiB } from "./ground.ts";
import { type Outcome, summarize } from "./model.ts";
import type { Way, WayName } from "./workload.ts";

/** What was seen of so many environments on one way: processes of this machine, and a real server. */
export interface RealRun extends Outcome {
  readonly way: WayName;
  readonly environments: number;
  /** The median of the invocations that failed, milliseconds; null where none did. */
  readonly refusalMs: number | null;
  /** Codes of the failures, and how many of each. */
  readonly codes: Readonly<Record<string, number>>;
  /** How long the same statement took meanwhile for who has a connection to itself and waits for nobody, as twenty figures that are equally likely, milliseconds. */
  readonly besideMs: readonly number[];
  /** How late environments woke up, nineteen times of twenty no later than this, milliseconds. */
  readonly lateMs: number;
}

/** All of them, and what memory they took. */
export interface RealRuns {
  readonly runs: readonly RealRun[];
  /** Of one server connection, of the server; null where it could not be read. */
  readonly backendMiB: number | null;
  /** Of PgBouncer with all environments connected; null where it could not be read, or was not run. */
  readonly pgbouncerMiB: number | null;
}

export interface RunOptions {
  /** From small to large. */
  readonly sizes: readonly number[];
  readonly ways: readonly Way[];
  readonly slots: number;
  /** Passes before anything is counted. */
  readonly warmUpMs: number;
  /** For so long invocations are counted; twice as long where there are fewer than ten environments. */
  readonly ms: number;
  /** No further size is begun when so long has passed: that is as far as this machine carries it. */
  readonly longestMs: number;
  readonly signal: AbortSignal;
  progress(line: string): void;
}

const LOOK_MS = 200;
const FEW = 10;

/** Runs every size on every way, one after the other. Rejects when `signal` is aborted; what was started is stopped. */
export async function runReal({ sizes, ways, slots, warmUpMs, ms, longestMs, signal, progress }: RunOptions): Promise<RealRuns> {
  await using ground = await openGround(slots);
  await using environments = await openEnvironments();
  const runs: RealRun[] = [];
  const memory: { backendMiB: number | null; pgbouncerMiB: number | null } = { backendMiB: null, pgbouncerMiB: null };
  const until = performance.now() + longestMs;
  for (const size of sizes) {
    if (performance.now() > until) {
      progress(`${size} environments and more are left out: this machine is too busy for them.`);
      break;
    }
    await environments.grow(size);
    for (const way of ways) {
      signal.throwIfAborted();
      await using laid = await ground.lay(way);
      const { client } = way;
      // of two that open two each at once, both may get one: then the model, in which they come one after the other, says too much
      const atOnce = way.shared === null && way.sideBySide ? 1 : STARTS_AT_ONCE;
      await environments.tell(size, () => ({ do: "open", client, address: laid.address }), atOnce);
      const order = { do: "run", warmUpMs, ms: size < FEW ? 2 * ms : ms } as const;
      const telling = environments.tell<Seen>(size, (number) => ({ ...order, seed: size * 1_000 + number }));
      const [connections, besideMs] = await Promise.all([
        mostUntil(telling, ground.connections, signal),
        ground.besideUntil(telling.catch(() => {})),
      ]);
      const run: RealRun = { way: way.name, environments: size, connections, besideMs, ...sum(await telling) };
      runs.push(run);
      progress(sentence(run));
      if (way.name === "direct") memory.backendMiB = rounded(await ground.backendMiB());
      if (way.name === "pgbouncer" && laid.pid !== undefined) memory.pgbouncerMiB = rounded(await ownMiB(laid.pid));
      await environments.tell(size, () => ({ do: "close" }));
    }
  }
  return { runs, ...memory };
}

function rounded(figure: number | undefined): number | null {
  return figure === undefined ? null : Math.round(figure * 100) / 100;
}

/** The most connections that were there at a look, until all is answered. */
async function mostUntil(answered: Promise<unknown>, look: () => Promise<number>, signal: AbortSignal): Promise<number> {
  let most = 0;
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  answered.then(over, over);
  while (!isOver) {
    signal.throwIfAborted();
    most = Math.max(most, await look());
    await delay(LOOK_MS);
  }
  return most;
}

function sum(seen: readonly Seen[]): Omit<RealRun, "way" | "environments" | "connections" | "besideMs"> {
  const failed = seen.flatMap((one) => one.failed).toSorted((one, another) => one - another);
  const latencies = seen.flatMap(({ succeeded }) => succeeded);
  const codes: Record<string, number> = {};
  for (const { codes: own } of seen) for (const [code, count] of Object.entries(own)) codes[code] = (codes[code] ?? 0) + count;
  const late = seen.flatMap((one) => one.late).toSorted((one, another) => one - another);
  return {
    ...summarize(latencies.length + failed.length, latencies),
    refusalMs: failed[failed.length >> 1] ?? null,
    codes,
    lateMs: late[Math.floor(late.length * 0.95)] ?? Number.NaN,
  };
}

function sentence({ way, environments, connections, success, p50Ms, p99Ms, calls, codes, besideMs, lateMs }: RealRun): string {
  const failures = Object.entries(codes).map(([code, count]) => `${count} × ${code}`);
  const figures = `${connections} connections, ${(success * 100).toFixed(1)} % of ${calls} calls, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, beside ${besideMs[besideMs.length >> 1]?.toFixed(1)} ms, late ${lateMs.toFixed(1)} ms`;
  return `${way}, ${environments} environments: ${[figures, ...failures].join(", ")}`;
}
