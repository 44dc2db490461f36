import { type Fate, isWarmlineError } from "../../src/errors/errors.ts";
import type { Settled } from "./outcome.ts";
import type { Subject } from "./subject.ts";

/** What an errand is run on, in the contender's process. */
export interface Stage {
  readonly subject: Subject;
  /** Runs one call, which carries the writes `ids`, as a request of its own, and notes how it ended. Never rejects. */
  call(ids: readonly string[], work: () => Promise<unknown>): Promise<Settled>;
}

/** What a caller's own code throws inside a transaction: nothing of that may stay done. */
export class OwnError extends Error {}

/** A stage that writes down what ends on it. */
export function createStage(subject: Subject): Stage & { readonly settled: readonly Settled[] } {
  const settled: Settled[] = [];
  return {
    subject,
    settled,
    async call(ids, work) {
      const startedAt = performance.now();
      const ended = await subject.request(work).then(() => ({ ok: true }), explain);
      const note: Settled = { ids, ...ended, ms: performance.now() - startedAt };
      settled.push(note);
      return note;
    },
  };
}

function explain(error: unknown): Pick<Settled, "ok" | "fate" | "code" | "cause"> {
  if (isWarmlineError(error))
    return { ok: false, fate: error.fate, code: error.code, cause: (error.cause as { code?: string } | undefined)?.code };
  if (error instanceof OwnError) return { ok: false, fate: "refused", code: "OWN" };
  // of a pool in pg's place: its error has a fate, and is pg's
  const { code, message, fate } = error as { readonly code?: unknown; readonly message?: string; readonly fate?: Fate };
  return { ok: false, ...(fate && { fate }), code: typeof code === "string" ? code : (message ?? "").slice(0, 60) };
}
