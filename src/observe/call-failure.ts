import { excerptOf } from "../errors/caller.ts";
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
  /** The error's, which holds no value; null for an error that a callback threw itself. */
  readonly message: string | null;
  /** The line of the statement the server points at, its strings blanked, and a caret below it; null where it points at none. */
  readonly excerpt: string | null;
}

/** What may be told of an error. */
export function failureOf(error: unknown): CallFailure {
  if (!isWarmlineError(error)) return { code: kindOf(error), fate: null, sqlState: null, message: null, excerpt: null };
  const { code, fate, message } = error;
  return { code, fate, sqlState: "sqlState" in error ? code : null, message, excerpt: excerptOf(error) };
}
