import pg from "pg";
import { showCaller } from "../../errors/caller.ts";
import { type Fate, isWarmlineError, type WarmlineError } from "../../errors/errors.ts";
import { saidByPostgres } from "../../errors/fate.ts";
import { isTransactionConflict } from "../../errors/sqlstate.ts";
import { mayCommitByItself } from "../../syntax/self-committing.ts";

/** What pg says where this package says something else, and nothing foreign was thrown, by our code. */
const words: Readonly<Record<string, string>> = {
  ACQUIRE_TIMEOUT: "timeout exceeded when trying to connect",
  CONNECT_TIMEOUT: "Connection terminated due to connection timeout",
  CONNECTION_LOST: "Connection terminated unexpectedly",
  CLOSED: "Cannot use a pool after calling end on the pool",
  RELEASED_TWICE: "Release called on client which has already been released to the pool.",
};

/** What pg itself would have rejected with, by the error that was made of it. */
const originals = new WeakMap<WarmlineError, unknown>();

/** Remembers what an error was made of, for whoever expects pg's. */
export function madeOf<E extends WarmlineError>(error: E, original: unknown): E {
  originals.set(error, original);
  return error;
}

/** What an error was made of. */
export function originalOf(error: WarmlineError): unknown {
  return originals.get(error);
}

/**
 * An error of this package as pg tells it: its class, its code, its words; with the fate, whether it may be repeated, and as its cause what this
 * package says of it. What pg knows nothing of stays what it is.
 */
export function asPg(error: unknown, said?: string): unknown {
  if (!isWarmlineError(error)) return error;
  const word = said ?? words[error.code];
  const original = originals.get(error) ?? (word === undefined ? undefined : new Error(word));
  if (!(original instanceof Error) || !Object.isExtensible(original)) return error;
  const { code, fate, retryable } = error;
  if (!("cause" in original)) Object.defineProperty(original, "cause", { value: error, configurable: true, writable: true });
  return Object.assign(original, "code" in original ? {} : { code }, { fate, retryable });
}

/** The same, with the frames of whoever awaits it: to be called where a promise is told. */
export function rejectAsPg(error: unknown): never {
  const told = asPg(error);
  throw told instanceof Error ? showCaller(told, rejectAsPg) : told;
}

/** Somebody else's error, with what became of the statement where it can be said. */
export function withFateOf(thrown: unknown, fate: Fate, retryable = false): unknown {
  if (thrown instanceof Error && Object.isExtensible(thrown) && !("fate" in thrown)) Object.assign(thrown, { fate, retryable });
  return thrown;
}

/**
 * An error of a query that pg sent by itself. `refused` takes proof: an ERROR of Postgres for a text that leaves nothing behind, whether it is one
 * statement or, by the simple protocol, several, which stand in a block together.
 */
export function withPgFate(thrown: unknown, config: unknown): unknown {
  if (!(thrown instanceof pg.DatabaseError)) return withFateOf(thrown, "unknown");
  const { text = config } = (config ?? {}) as { readonly text?: unknown };
  const isRefused = typeof text === "string" && thrown.severity === "ERROR" && saidByPostgres(thrown) && !mayCommitByItself(text);
  return withFateOf(thrown, isRefused ? "refused" : "unknown", isRefused && isTransactionConflict(thrown.code ?? ""));
}
