import type { Outcome } from "./outcome.ts";

/** A difference between the transports that stays, because what travels does not tell it. */
export interface AcceptedDifference {
  readonly what: string;
  readonly reason: string;
  /** Whether two outcomes differ in this way. */
  readonly between: (pool: Outcome, http: Outcome) => boolean;
  /** The outcome without what differs. */
  readonly without: (outcome: Outcome) => Outcome;
}

const withoutKeys = (outcome: Outcome, ...keys: readonly string[]): Outcome => {
  const { shown, ...error } = outcome.error ?? {};
  const kept = Object.fromEntries(Object.entries(error).filter(([key]) => !keys.includes(key)));
  return { ...outcome, error: { ...kept, shown: (shown as readonly string[]).filter((key) => !keys.includes(key)) } };
};

/** Every difference that is accepted; any other fails the equivalence test, and so does one of these that no longer shows. */
export const acceptedDifferences: readonly AcceptedDifference[] = [
  {
    what: "`statementIndex` and `statement` of a batch's error are undefined over HTTP",
    reason: "The endpoint's answer to a batch that failed holds the error, and not which statement it was.",
    between: ({ error: pool }, { error: http }) =>
      pool !== undefined &&
      http !== undefined &&
      (["statementIndex", "statement"] as const).some((key) => pool[key] !== undefined && http[key] === undefined),
    without: (outcome) => withoutKeys(outcome, "statementIndex", "statement"),
  },
  {
    what: "a query ended by deadline or signal is `refused` over the pool and `unknown` over HTTP",
    reason: "The pool hears the server's answer to its CancelRequest; a POST that is given up has no answer.",
    between: ({ error: pool }, { error: http }) => pool?.name === "CancelledError" && pool.fate === "refused" && http?.fate === "unknown",
    without: (outcome) => withoutKeys(outcome, "fate", "message", "retryable"),
  },
];
