import { UsageError } from "../errors/errors.ts";
import { type Asked, askedFor } from "../syntax/lacking.ts";
import type { TransactionMode } from "../transports/transport.ts";

/** What to do where a target has not what was asked for. */
const remedies: Readonly<Record<Asked, string>> = {
  savepoints: "Let the whole transaction fail, and have it repeated by retries.",
  "isolation levels": "All of its transactions are repeatable read.",
  "advisory locks": "Conflicts are found at COMMIT: have the transaction repeated by retries.",
  "temporary tables": "Use a table of your own, or WITH.",
  notifications: "Ask again now and then, or send by a queue.",
};

/** Refuses what a target has not, before anything is sent: UsageError NOT_SUPPORTED. */
export interface Lacking {
  /** Refuses a statement, or several in one text. */
  text(text: string): void;
  /** Refuses a transaction in a transaction. */
  savepoint(): void;
  /** How a transaction begins there: where there is one isolation level, none is named. Refuses any other. */
  mode<M extends TransactionMode>(mode: M): M;
}

/**
 * Of a target without these; undefined where it has all. Handed in by the entries of Node: elsewhere no such target takes a token that is signed here, and
 * the server refuses it itself.
 */
export function lackingOf(lacks: readonly Asked[]): Lacking | undefined {
  if (lacks.length === 0) return undefined;
  const refuse = (asked: Asked): void => {
    if (!lacks.includes(asked)) return;
    const what = asked === "isolation levels" ? "other isolation levels" : asked;
    throw new UsageError(`This target has no ${what}. ${remedies[asked]}`, { code: "NOT_SUPPORTED" });
  };
  return {
    text: (text) => askedFor(text).forEach(refuse),
    savepoint: () => refuse("savepoints"),
    mode(mode) {
      const { isolation, deferrable } = mode;
      if (!lacks.includes("isolation levels") || (isolation ?? deferrable) === undefined) return mode;
      if ((isolation !== undefined && isolation !== "repeatable read") || deferrable) refuse("isolation levels");
      return { ...mode, isolation: undefined, deferrable: undefined };
    },
  };
}
