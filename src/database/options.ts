import { UsageError, type WarmlineError } from "../errors/errors.ts";
import { leaveAlone, look } from "../errors/look.ts";
import type { TransactionMode } from "../transports/transport.ts";
import type { TypeParsers } from "./parsers.ts";

/** What any call can be told. */
export interface CallLimits {
  /** Bounds the call with all its attempts, milliseconds; 0 for no deadline. Default: the setting `deadlineMs`. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call; its error then has the code ABORTED and a fate. */
  readonly signal?: AbortSignal | undefined;
  /** `bypass`: past Hyperdrive's cache, over the binding named for it; elsewhere nothing is cached. Default: what the way there does. */
  readonly cache?: "bypass" | undefined;
}

/** How the rows of a call are read. */
export interface ReadingOptions {
  /** Rows as objects by column name, or as arrays in column order. Default `object`. */
  readonly rowMode?: "object" | "array" | undefined;
  /** Parsers for this call alone. Default: the setting `types`, else pg-types' own. */
  readonly types?: TypeParsers | undefined;
}

/** What a query can be told. */
export interface QueryOptions<Row = unknown> extends CallLimits, ReadingOptions {
  /**
   * Bounds each attempt, milliseconds; 0 for no bound. What may be repeated is tried again within the call's deadline: a read or a claimed
   * statement that a silent endpoint would otherwise hold until then. Default 0, for no time is right for every statement.
   */
  readonly attemptTimeoutMs?: number | undefined;
  /** Enforced by the server: the statement runs in a READ ONLY transaction, in the same round trip. So it may be repeated. Default false. */
  readonly readOnly?: boolean | undefined;
  /** The caller's claim that doing it twice does no harm: it may be repeated when its fate is unknown. Default false. */
  readonly idempotent?: boolean | undefined;
  /**
   * Gives rows to go on with when the database cannot be reached or has no room; never asked about a statement that is wrong. Its rows come
   * with `via.fallback`, and what it throws is thrown. They are waited for until the call's deadline, for 250 milliseconds where that has passed;
   * then the query fails as it had. Only with `readOnly`. Default: none.
   */
  readonly fallback?: ((error: WarmlineError) => readonly Row[] | Promise<readonly Row[]>) | undefined;
}

/** Rows of a batch, where nothing is said. Smaller ones cost more writes and reads, larger ones memory, and no less CPU. */
export const BATCH_SIZE = 500;

/** What a stream can be told. */
export interface StreamOptions extends CallLimits, ReadingOptions, Pick<QueryOptions, "readOnly" | "idempotent"> {
  /** Most rows that are fetched at once, and held in memory, from 1. Default 500. */
  readonly batchSize?: number | undefined;
}

/** What a batch can be told: all of it is one transaction. */
export interface BatchCallOptions extends Omit<QueryOptions, "fallback">, TransactionMode {
  readonly readOnly?: boolean | undefined;
}

/** What a transaction can be told. */
export interface TransactionOptions extends CallLimits, TransactionMode {
  /**
   * How often the whole callback may be run again after a serialization failure, a deadlock, or the loss of the connection before COMMIT: this
   * transaction's own, never another database's. Default 0.
   */
  readonly retries?: number | undefined;
}

type Rule = readonly [allows: (value: unknown) => boolean, words: string];

const flag: Rule = [(value) => typeof value === "boolean", "true or false"];
const count: Rule = [(value) => Number.isInteger(value) && Number(value) >= 0, "a whole number from 0"];
const oneOf = (...values: readonly unknown[]): Rule => [(value) => values.includes(value), `one of ${values.join(", ")}`];

/** Execute counts rows in 31 bits. Source: PostgreSQL documentation, "Message Formats". */
const MAX_BATCH = 2 ** 31 - 1;

const rules: Readonly<Record<string, Rule>> = {
  deadlineMs: count,
  attemptTimeoutMs: count,
  signal: [(value) => value instanceof AbortSignal && typeof value.aborted === "boolean", "an AbortSignal"],
  readOnly: flag,
  idempotent: flag,
  rowMode: oneOf("object", "array"),
  types: [(value) => typeof Object(value).getTypeParser === "function", "an object with getTypeParser(id, format), as pg takes it"],
  fallback: [(value) => typeof value === "function", "a function"],
  cache: oneOf("bypass"),
  isolation: oneOf("read uncommitted", "read committed", "repeatable read", "serializable"),
  deferrable: flag,
  retries: count,
  batchSize: [
    (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_BATCH,
    `a whole number from 1 to ${MAX_BATCH}`,
  ],
};

const limits = ["deadlineMs", "signal", "cache"];
const modes = ["readOnly", "isolation", "deferrable"];
const reading = ["rowMode", "types"];
const query = [...limits, "attemptTimeoutMs", "readOnly", "idempotent", ...reading];

/** The options each kind of call takes. */
export const optionsOf: Readonly<
  Record<
    "query" | "batch" | "transaction" | "session" | "inside" | "sessionBatch" | "sessionTransaction" | "stream" | "streamInside",
    readonly string[]
  >
> = {
  query: [...query, "fallback"],
  batch: [...query, "isolation", "deferrable"],
  transaction: [...limits, ...modes, "retries"],
  session: limits,
  inside: reading,
  stream: [...limits, "readOnly", "idempotent", ...reading, "batchSize"],
  streamInside: [...reading, "batchSize"],
  sessionBatch: [...reading, ...modes],
  sessionTransaction: modes,
};

/** Options as they may be used. @throws UsageError INVALID_OPTION that names the option and what it takes */
export function checkCall<O extends object>(options: O | undefined, names: readonly string[]): O {
  if (options === undefined) return {} as O;
  if (typeof options !== "object" || options === null) throw invalid("The options of a call are an object.");
  // a copy: what a getter gives may be another thing the next time
  const given = look(() => ({ ...options }), undefined);
  if (given === undefined) throw invalid("The options of a call could not be read: code of theirs threw.");
  for (const [name, value] of Object.entries(given)) {
    const rule = names.includes(name) ? rules[name] : undefined;
    if (rule === undefined) throw invalid(`This call has no option ${JSON.stringify(name)}. It takes ${names.join(", ")}.`);
    if (value === undefined || look(() => rule[0](value), false)) continue;
    leaveAlone(value);
    throw invalid(`The option ${name} must be ${rule[1]}.`);
  }
  const { fallback, readOnly } = given as QueryOptions;
  if (fallback && !readOnly) throw invalid("The option fallback needs readOnly: true.");
  return given;
}

/** Refuses what is to be run with a connection and is no function. @throws UsageError INVALID_OPTION */
export function checkWork(work: unknown): void {
  if (typeof work !== "function") throw invalid("The work of a transaction or session is a function.");
}

function invalid(message: string): UsageError {
  return new UsageError(message, { code: "INVALID_OPTION" });
}
