import type { Fate } from "../../src/entry/node.ts";

/** One call of an errand that has ended, as its caller saw it. */
export interface Settled {
  /** The writes it carried. */
  readonly ids: readonly string[];
  readonly ok: boolean;
  /** Of a failure, where the client tells one. */
  readonly fate?: Fate | undefined;
  readonly code?: string | undefined;
  /** The code of its cause. */
  readonly cause?: string | undefined;
  readonly ms: number;
}

/** What became of an errand: all calls succeeded, one failed, no answer came in time, or the process died of it. */
export interface Outcome {
  readonly state: "ok" | "failed" | "hung" | "died";
  readonly settled: readonly Settled[];
  /** Of the first failure. */
  readonly fate?: Fate | undefined;
  readonly code?: string | undefined;
  /** What the errand tells besides. */
  readonly told?: unknown;
  readonly ms: number;
}
