import type { DatabaseEvent } from "./watched.ts";

/** Upper ends of the histogram's buckets, milliseconds; what takes longer than the last is in one more. */
export const bucketEndsMs: readonly number[] = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/** What was counted since the feed began, of every event, whatever is drawn. */
export interface Totals {
  /** Events of every kind. */
  events: number;
  /** Calls that ended, and those of them that failed. A transaction's statements count, and the transaction itself where it fails. */
  calls: number;
  failed: number;
  /** Of those that succeeded: over a connection that had served before, or that was new. */
  reused: number;
  fresh: number;
  /** Calls that were tried more than once and came through. */
  healed: number;
  slow: number;
  leaks: number;
  readonly fates: Record<string, number>;
  /** Of calls that succeeded, by {@link bucketEndsMs}. */
  readonly histogram: number[];
}

/** Nothing counted yet. */
export function makeTotals(): Totals {
  const histogram = Array.from({ length: bucketEndsMs.length + 1 }, () => 0);
  return { events: 0, calls: 0, failed: 0, reused: 0, fresh: 0, healed: 0, slow: 0, leaks: 0, fates: {}, histogram };
}

/** Counts an event in. */
export function count(totals: Totals, event: DatabaseEvent): void {
  totals.events++;
  if (event.type === "slow") totals.slow++;
  if (event.type === "leak") totals.leaks++;
  if (event.type === "query") countCall(totals, event);
}

function countCall(totals: Totals, { failure, via, attempts, durationMs, texts }: Extract<DatabaseEvent, { type: "query" }>): void {
  if (failure === null && texts.length === 0) return;
  totals.calls++;
  if (failure !== null) {
    totals.failed++;
    const fate = failure.fate ?? "not told";
    totals.fates[fate] = (totals.fates[fate] ?? 0) + 1;
    return;
  }
  if (via?.reused === true) totals.reused++;
  if (via?.reused === false) totals.fresh++;
  if (attempts > 1) totals.healed++;
  const place = bucketEndsMs.findIndex((end) => durationMs <= end);
  const at = place < 0 ? bucketEndsMs.length : place;
  totals.histogram[at] = (totals.histogram[at] ?? 0) + 1;
}
