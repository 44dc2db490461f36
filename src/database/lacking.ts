import { UsageError } from "../errors/errors.ts";
import { type Asked, askedFor } from "../syntax/lacking.ts";
import type { TransactionMode } from "../transports/transport.ts";

/** What to do where a target has not what was asked for: short, for it is in every bundle. */
const remedies: Readonly<Record<Asked, string>> = {
  savepoints: "Repeat the whole transaction (retries).",
  "isolation levels": "All are repeatable read.",
  "advisory locks": "Conflicts are found at COMMIT (retries).",
  "temporary tables": "Use WITH, or a table.",
  notifications: "Use a queue.",
};

/**
 * Refuses what the target has not, before anything is sent.
 *
 * @throws UsageError NOT_SUPPORTED
 */
export function refuseLacking(lacks: readonly Asked[], asked: Asked): void {
  if (!lacks.includes(asked)) return;
  throw new UsageError(`This target has no ${asked === "isolation levels" ? "other isolation levels" : asked}. ${remedies[asked]}`, {
    code: "NOT_SUPPORTED",
  });
}

/** The same of a text. @throws UsageError NOT_SUPPORTED */
export function refuseLackingText(lacks: readonly Asked[], text: string): void {
  if (lacks.length > 0) for (const asked of askedFor(text)) refuseLacking(lacks, asked);
}

/**
 * How a transaction begins on a target: where there is one isolation level, none is named.
 *
 * @throws UsageError NOT_SUPPORTED of another than that
 */
export function supportedMode<M extends TransactionMode>(lacks: readonly Asked[], mode: M): M {
  const { isolation, deferrable } = mode;
  if (!lacks.includes("isolation levels") || (isolation ?? deferrable) === undefined) return mode;
  if ((isolation !== undefined && isolation !== "repeatable read") || deferrable) refuseLacking(lacks, "isolation levels");
  return { ...mode, isolation: undefined, deferrable: undefined };
}
