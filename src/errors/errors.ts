import { showCaller } from "./caller.ts";
import { look } from "./look.ts";

/**
 * What became of the statement that failed.
 *
 * - `not-sent`: no byte of it left this process, or login did not finish.
 * - `refused`: the server said no, and nothing stays done.
 * - `unknown`: it may have been done.
 * - `applied`: it was done; the answer could not be read.
 */
export type Fate = "not-sent" | "refused" | "unknown" | "applied";

/** What every error of this package carries. */
export interface ErrorDetails {
  /** What failed, told to a program. On a `DatabaseError` it is the SQLSTATE, as in pg. */
  readonly code: string;
  readonly fate: Fate;
  /** Whether the same call can succeed later without a change: the condition passes by itself, and nothing stays done. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** By which an error is known as one of this package, whichever copy made it: pg's, which have a fate from a pool, are none. */
const BRAND: unique symbol = Symbol.for("warmline.error");

/** The root of every error this package rejects with or throws. Its message, stack and `inspect` hold no secret and no parameter value. */
export class WarmlineError extends Error {
  readonly code: string;
  readonly fate: Fate;
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : details);
    this.name = new.target.name;
    this.code = details.code;
    this.fate = details.fate;
    this.retryable = details.retryable ?? false;
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  /**
   * True for the error of another copy of this package too: a bundler may put several into one process, where they share a pool.
   * @internal
   */
  static override [Symbol.hasInstance](error: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that is asked, most often a subclass
    return isOfClass(error, this);
  }
}

const isOfClass = (error: unknown, asked: typeof WarmlineError): boolean =>
  isWarmlineError(error) &&
  (asked === WarmlineError || asked.name === error.name || Function.prototype[Symbol.hasInstance].call(asked, error));

/** A setting is missing or wrong. Nothing was sent. */
export class ConfigError extends WarmlineError {
  // written out in every class, for minifiers rename what they like
  static override readonly name = "ConfigError";
  /** The setting's name, as in the settings table, or the environment variable it came from. */
  readonly setting: string;

  constructor(message: string, details: { readonly code: string; readonly setting: string }) {
    super(message, { code: details.code, fate: "not-sent" });
    this.setting = details.setting;
  }
}

/** The call itself is wrong: a value that cannot be sent, a nested query, use after `close`. Nothing was sent. */
export class UsageError extends WarmlineError {
  static override readonly name = "UsageError";
  constructor(message: string, details: { readonly code: string }) {
    super(message, { code: details.code, fate: "not-sent" });
  }
}

const fateSentences: Readonly<Record<Fate, string>> = {
  "not-sent": "Nothing was sent.",
  refused: "Nothing stays done.",
  unknown: "It may have been done: look before you repeat it.",
  applied: "It was done.",
};

/** What failed on the way; the message ends with the fate in words. */
class InterruptedError extends WarmlineError {
  constructor(message: string, details: ErrorDetails) {
    super(`${message} ${fateSentences[details.fate]}`, details);
  }
}

/** The way to the server failed: connecting, waiting for a connection, or the connection itself; over HTTP also the endpoint's own failures. */
export class ConnectionError extends InterruptedError {
  static override readonly name = "ConnectionError";
  /** Of the endpoint's answer, where it came over HTTP. */
  declare readonly status?: number;
  /** With CIRCUIT_OPEN: when the next call may try, milliseconds from now. */
  declare readonly retryAfterMs?: number;
}

/** The call's deadline passed, or its signal was aborted. */
export class CancelledError extends InterruptedError {
  static override readonly name = "CancelledError";
}

/** The value that could not be read. */
export interface UnreadColumn {
  /** The column's name. */
  readonly column?: string | undefined;
  /** Its place among the columns, from 0. */
  readonly columnIndex?: number | undefined;
  /** The id of its type, as in `fields`. */
  readonly typeId?: number | undefined;
  /** Of a row that was checked by a schema: its place among the rows, from 0. */
  readonly rowIndex?: number | undefined;
  /**
   * Of a row that its schema refuses: the keys from the row to what is wrong, of which those beyond the column may come from a value. Not
   * enumerable, so that no logger prints it.
   */
  readonly path?: readonly PropertyKey[] | undefined;
}

/**
 * The statement was done, and its answer could not be read. A transaction that ends with it is rolled back, and its fate is `refused`. `cause`
 * has the name and the stack of what the parser threw; its message, which may quote the value, is left out.
 */
export class DecodeError extends WarmlineError implements UnreadColumn {
  static override readonly name = "DecodeError";
  declare readonly column: string | undefined;
  declare readonly columnIndex: number | undefined;
  declare readonly typeId: number | undefined;
  declare readonly rowIndex: number | undefined;
  declare readonly path: readonly PropertyKey[] | undefined;

  constructor(message: string, details: ErrorDetails & UnreadColumn) {
    super(message, details);
    // also where they are unknown: Bun's errors have a column of their own, that of the source
    const { column, columnIndex, typeId, rowIndex, path } = details;
    Object.assign(this, { column, columnIndex, typeId, rowIndex });
    Object.defineProperty(this, "path", { value: path });
  }
}

/**
 * The same failure, told of a larger piece of work than the statement that failed: a copy with another fate, which has the first as its
 * `cause`. Not `own` is what another database or handle failed with: whether that passes says nothing of this one.
 */
export function withFate(error: WarmlineError, fate: Fate, own = true): WarmlineError {
  if (error.fate === fate && (own || !error.retryable)) return error;
  const told = fateSentences[error.fate];
  const message = error.message.endsWith(told) ? `${error.message.slice(0, -told.length)}${fateSentences[fate]}` : error.message;
  const copy = new WarmlineError(message, {
    code: error.code,
    fate,
    retryable: own && error.retryable && fate !== "unknown",
    cause: error,
  });
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (name === "name" || !(name in copy)) Object.defineProperty(copy, name, property);
  }
  return showCaller(copy, error);
}

/** Whether `error` comes from this package; true also for another copy of it. */
export function isWarmlineError(error: unknown): error is WarmlineError {
  return look(() => error instanceof Error && BRAND in error, false);
}
