import { UsageError } from "../errors/errors.ts";
import type { Isolation, TransactionMode } from "../transports/transport.ts";

/** What any call can be told. */
export interface CallLimits {
  /** Bounds the call with all its attempts, milliseconds; 0 for no deadline. Default: the setting `deadlineMs`. */
  readonly deadlineMs?: number | undefined;
  /** Ends the call; its error then has the code ABORTED and a fate. */
  readonly signal?: AbortSignal | undefined;
}

/** What a query can be told. */
export interface QueryOptions extends CallLimits {
  /** Enforced by the server: the statement runs in a READ ONLY transaction, in the same round trip. So it may be repeated. Default false. */
  readonly readOnly?: boolean | undefined;
  /** The caller's claim that doing it twice does no harm: it may be repeated when its fate is unknown. Default false. */
  readonly idempotent?: boolean | undefined;
  /** Rows as objects by column name, or as arrays in column order. Default `object`. */
  readonly rowMode?: "object" | "array" | undefined;
}

/** What a batch can be told: all of it is one transaction. */
export interface BatchCallOptions extends QueryOptions, TransactionMode {
  readonly readOnly?: boolean | undefined;
}

/** What a transaction can be told. */
export interface TransactionOptions extends CallLimits, TransactionMode {
  /** How often the whole callback may be run again after a serialization failure, a deadlock, or the loss of the connection before COMMIT. Default 0. */
  readonly retries?: number | undefined;
}

/** One check for each name that an options object may have. */
type Checks = Readonly<Record<string, (value: unknown) => boolean>>;

const isFlag = (value: unknown): boolean => typeof value === "boolean";
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

const isolations: ReadonlySet<unknown> = new Set<Isolation>(["read uncommitted", "read committed", "repeatable read", "serializable"]);

const limits = { deadlineMs: isCount, signal: (value) => value instanceof AbortSignal } satisfies Checks;
const mode = { isolation: (value) => isolations.has(value), readOnly: isFlag, deferrable: isFlag } satisfies Checks;

/** The options of each kind of call. */
export const callChecks = {
  query: { ...limits, readOnly: isFlag, idempotent: isFlag, rowMode: (value) => value === "object" || value === "array" },
  batch: { ...limits, ...mode, idempotent: isFlag, rowMode: (value) => value === "object" || value === "array" },
  transaction: { ...limits, ...mode, retries: isCount },
  session: limits,
  inside: { rowMode: (value) => value === "object" || value === "array" },
} satisfies Record<string, Checks>;

const expectations: Readonly<Record<string, string>> = {
  deadlineMs: "a whole number of milliseconds, 0 for no deadline",
  signal: "an AbortSignal",
  isolation: "read uncommitted, read committed, repeatable read or serializable",
  rowMode: "object or array",
  retries: "a whole number from 0",
};

/** Options as they may be used. @throws UsageError INVALID_OPTION that names the option and what it takes */
export function checkCall<O extends object>(options: O | undefined, checks: Checks): O {
  if (options === undefined) return {} as O;
  if (typeof options !== "object" || options === null)
    throw new UsageError("The options of a call are an object.", { code: "INVALID_OPTION" });
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      throw new UsageError(`This call has no option ${JSON.stringify(name)}. It takes ${Object.keys(checks).join(", ")}.`, {
        code: "INVALID_OPTION",
      });
    }
    if (value !== undefined && !check(value)) {
      throw new UsageError(`The option ${name} takes ${expectations[name] ?? "true or false"}.`, { code: "INVALID_OPTION" });
    }
  }
  return options;
}
