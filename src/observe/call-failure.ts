import { type Fate, isWarmlineError } from "../errors/errors.ts";
import { kindOf } from "../errors/redact.ts";

/** Why a call failed. */
export interface CallFailure {
  /** The error's `code`; for an error that a callback threw itself, its name. */
  readonly code: string;
  /** Null for an error that a callback threw itself. */
  readonly fate: Fate | null;
  /** What the server said; null where it said nothing. */
  readonly sqlState: string | null;
}

/** What may be told of an error. */
export function failureOf(error: unknown): CallFailure {
  if (!isWarmlineError(error)) return { code: kindOf(error), fate: null, sqlState: null };
  const { code, fate } = error;
  return { code, fate, sqlState: "sqlState" in error ? code : null };
}
