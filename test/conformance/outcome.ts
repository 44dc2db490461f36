import { DatabaseError } from "../../src/errors/database-error.ts";
import { isWarmlineError } from "../../src/errors/errors.ts";
import type { Result } from "../../src/transports/transport.ts";
import { serverFieldNames } from "./server-fields.ts";

/** All that a call gave, without the way it came: fit to be compared with another's. */
export interface Outcome {
  readonly results?: readonly Omit<Result<unknown>, "via">[];
  readonly error?: Readonly<Record<string, unknown>>;
}

/** Runs `work`, and gives its results or its error with everything that can be read of it. */
export async function outcomeOf(work: () => Promise<readonly Result<unknown>[]>): Promise<Outcome> {
  try {
    return { results: (await work()).map(({ via: _, ...rest }) => rest) };
  } catch (error) {
    return { error: describeError(error) };
  }
}

function describeError(error: unknown): Record<string, unknown> {
  if (!isWarmlineError(error)) return { foreign: error };
  const { name, message, code, fate, retryable } = error;
  const own = { class: error.constructor, name, message, code, fate, retryable, shown: Object.keys(error).sort() };
  if (!(error instanceof DatabaseError)) return own;
  const { sqlState, statementIndex, statement } = error;
  return { ...own, sqlState, statementIndex, statement, ...Object.fromEntries(serverFieldNames.map((field) => [field, error[field]])) };
}
