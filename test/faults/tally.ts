import type { Verdict } from "./book.ts";

/** What all rounds of one contender on one way came to. */
export interface Tally extends Verdict {
  /** Rounds in which the fault was felt. */
  readonly rounds: number;
  /** Calls that failed. */
  readonly failed: number;
  /** Calls that were not over when their deadline, and a slack, had passed. */
  readonly hung: number;
  /** Backends left beyond what the contender may hold, or after it closed. */
  readonly leaked: number;
  readonly unhandled: number;
  readonly deaths: number;
  /** Median, from the moment the cause was gone to the first success, milliseconds; null when there was none. */
  readonly recoveryMs: number | null;
  /** Rounds after which nothing succeeded any more, until the process was started again. */
  readonly unrecovered: number;
  /** Broken promises that no count shows, in words, one for each round. */
  readonly wrong: readonly string[];
  /** What the fault's own measurements gave. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** First success after the server's return, at the latest; milliseconds. */
export const RECOVERY_LIMIT_MS = 1_000;

/** Rounds whose median is held against the limit. Of fewer, one moment in which the machine had no time would decide: they only have to recover. */
const ROUNDS_TO_JUDGE = 3;

const zeros = ["lost", "doubled", "lied", "hung", "leaked", "unhandled", "deaths", "unrecovered"] as const;

/** What of a tally breaks the suite's promises, in words; nothing when it holds. */
export function breaches(tally: Tally): readonly string[] {
  const counted = zeros.filter((name) => tally[name] !== 0).map((name) => `${name} ${tally[name]}`);
  const tooLate = tally.rounds >= ROUNDS_TO_JUDGE && tally.recoveryMs !== null && tally.recoveryMs > RECOVERY_LIMIT_MS;
  const slow = tooLate ? [`recovers after ${tally.recoveryMs} ms`] : [];
  return [...counted, ...slow, ...new Set(tally.wrong)];
}

/** To a tenth; null of nothing. */
export function median(values: readonly number[]): number | null {
  const middle = values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)];
  return middle === undefined ? null : Math.round(middle * 10) / 10;
}
