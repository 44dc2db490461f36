import { UsageError } from "../errors/errors.ts";
import { leaveAlone, look } from "../errors/look.ts";

/** Who is at fault: a parameter's number, or a name. */
export type Party = number | string;

/** The error of a value that cannot be sent. The problem says what kind of thing it is, never what is in it. */
export function refuse(party: Party, code: string, problem: string): UsageError {
  return new UsageError(`${typeof party === "number" ? `Parameter $${party}` : party} ${problem}.`, { code });
}

/** The error of what is no statement, or no part of one. */
export function invalidStatement(message: string): UsageError {
  return new UsageError(message, { code: "INVALID_STATEMENT" });
}

/** The error of a value that has no form at the server. */
export function unsupported(party: Party, problem: string): UsageError {
  return refuse(party, "UNSUPPORTED_VALUE", problem);
}

/** The error of a Date that is no date. */
export function invalidDate(party: Party): UsageError {
  return refuse(party, "INVALID_DATE", "is or holds an invalid Date");
}

/** The error of an array that has nothing in one of its places. */
export function undefinedItem(party: Party): UsageError {
  return refuse(party, "UNDEFINED_VALUE", "holds undefined in an array; write null");
}

/** The error of a piece of SQL where only values can be. */
export function sqlInside(party: Party): UsageError {
  return unsupported(party, "holds sql`…` where a value stands; write the statement as sql`…`, and the piece in it");
}

/** The error of a promise in the place of a value; what it ends with is nobody's any more. */
export function refusePromise(party: Party, promise: unknown, problem: string): UsageError {
  leaveAlone(promise);
  return refuse(party, "PROMISE_VALUE", problem);
}

/** The error of a value that would be written for ever. */
export function circular(party: Party): UsageError {
  return refuse(party, "CIRCULAR_VALUE", "contains itself");
}

/** The error of a value that is more than an engine's stack, its longest text or a column can hold. */
export function tooLarge(party: Party): UsageError {
  return unsupported(party, "is nested too deep, or too long");
}

/** What `write` gives, unless it is more than the engine's stack or its longest text can hold, or code of the value's own throws. */
export function writable<T>(party: Party, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw look(() => error instanceof RangeError, false) ? tooLarge(party) : unsupported(party, "could not be read: code of its own threw");
  }
}

/** Text as Postgres can hold it. */
export function checkText(text: string, party: Party): string {
  if (text.includes("\0")) throw refuse(party, "NUL_CHARACTER", "holds U+0000; remove it, or send bytea");
  if (!text.isWellFormed()) throw refuse(party, "LONE_SURROGATE", "holds half a surrogate pair; use toWellFormed()");
  return text;
}

/** Whether a value is a promise, of whatever make. */
export function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
