import { isWarmlineError, type WarmlineError } from "../errors/errors.ts";
import { excerptAt } from "../errors/excerpt.ts";
import { kindOf } from "../errors/redact.ts";
import type { Result, Statement } from "../transports/transport.ts";
import type { Audience } from "./audience.ts";
import type { CallFailure, QueryEvent } from "./events.ts";

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
  const { operation, within, statements = [], attempts } = called;
  const { events, slowMs } = observer;
  const texts = [statements].flat().map(({ text }) => text);
  const startedAt = observer.now();
  const began = observer.stopwatch();
  const tell = (failure: CallFailure | null, results: readonly Result[] = []) => {
    const durationMs = observer.stopwatch() - began;
    const call = { operation, within, texts, startedAt, durationMs };
    const rowCount = results.reduce<number | null>((sum, result) => (result.rowCount === null ? sum : result.rowCount + (sum ?? 0)), null);
    events.tell({ type: "query", ...call, failure, attempts: attempts(), via: results.at(-1)?.via ?? null, rowCount });
    // the time of a stream is its reader's, too
    if (operation !== "stream" && slowMs !== null && durationMs >= slowMs && texts.length > 0) events.tell({ type: "slow", ...call });
  };
  try {
    const value = await run();
    tell(null, texts.length > 0 ? ([value].flat() as readonly Result[]) : []);
    return value;
  } catch (error) {
    tell(failureOf(error));
    throw error;
  }
}

function failureOf(error: unknown): CallFailure {
  if (!isWarmlineError(error)) return { code: kindOf(error), fate: null, sqlState: null, message: null, excerpt: null };
  const { code, fate, message } = error;
  return { code, fate, sqlState: "sqlState" in error ? code : null, message, excerpt: excerptOf(error) };
}

function excerptOf(error: WarmlineError): string | null {
  const { statement, position } = error as WarmlineError & { readonly statement?: string; readonly position?: string };
  const excerpt = statement === undefined || position === undefined ? "" : excerptAt(statement, Number(position));
  return excerpt.replace(/^\n/, "") || null;
}
