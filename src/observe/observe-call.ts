import type { Result, Statement } from "../transports/transport.ts";
import type { Audience } from "./audience.ts";
import { type CallFailure, failureOf } from "./call-failure.ts";
import { tellResults } from "./call-results.ts";
import type { QueryEvent } from "./events.ts";

/** What is known of a call before it runs. */
export interface Called extends Pick<QueryEvent, "operation" | "within"> {
  /** One, or those of a batch; absent where the texts are not told. */
  readonly statements?: Statement | readonly Statement[] | undefined;
  /** How often it has been tried so far. */
  readonly attempts: () => number;
}

/** What calls are observed with. */
export interface Observer {
  readonly events: Audience;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** A clock of finer steps that only goes forward, milliseconds. */
  readonly stopwatch: () => number;
  /** A query or batch that takes so long is told as slow; null for never. */
  readonly slowMs: number | null;
}

/** Runs a call, and tells of its end those who listen. */
export async function observeCall<T>(called: Called, observer: Observer, run: () => Promise<T>): Promise<T> {
  const { operation, within, attempts } = called;
  const { events, slowMs } = observer;
  const texts = textsOf(called);
  const startedAt = observer.now();
  const began = observer.stopwatch();
  const tell = (failure: CallFailure | null, results: readonly Result[] = []) => {
    const durationMs = observer.stopwatch() - began;
    const call = { operation, within, texts, startedAt, durationMs };
    events.tell({ type: "query", ...call, failure, attempts: attempts(), ...tellResults(results, operation) });
    // the time of a stream is its reader's, too
    if (operation !== "stream" && slowMs !== null && durationMs >= slowMs && texts.length > 0) events.tell({ type: "slow", ...call });
  };
  try {
    const value = await run();
    tell(null, resultsOf(value, texts));
    return value;
  } catch (error) {
    tell(failureOf(error));
    throw error;
  }
}

/** The texts of a call's statements. */
export function textsOf({ statements = [] }: Pick<Called, "statements">): readonly string[] {
  return [statements].flat().map(({ text }) => text);
}

/** The results in what a call gave. */
export function resultsOf(value: unknown, texts: readonly string[]): readonly Result[] {
  return texts.length > 0 ? ([value].flat() as readonly Result[]) : [];
}
