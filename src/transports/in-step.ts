import type { TransactionStatus } from "../errors/fate.ts";
import type { ExchangeEnd } from "./transport.ts";

/** How an exchange was answered to its ReadyForQuery, and how it had to be. */
export interface Answered {
  readonly ends: ExchangeEnd | "script";
  readonly before: TransactionStatus;
  readonly after: TransactionStatus;
  /** Whether the server refused one of its statements, and skipped those behind. */
  readonly refused: boolean;
  /** The first words of the tags that came, those of what the package put before and behind among them. */
  readonly answers: readonly { readonly command: string | null }[];
  /** How many of them stand before the caller's own. */
  readonly prelude: number;
  /** How many statements were sent. */
  readonly sent: number;
}

/** Tags of commands that begin, end or divide a transaction. PREPARE alone is that of PREPARE TRANSACTION, too. */
const control: ReadonlySet<string | null> = new Set(["BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"]);

/** The tags of a COMMIT: its own, and that of a transaction that had failed. */
const ended: ReadonlySet<string | null> = new Set(["COMMIT", "ROLLBACK"]);

/**
 * Whether the transaction status that ReadyForQuery told is the one the exchange must leave. Another means that a statement began or ended a
 * transaction behind the package's back, or that the answer is not this exchange's own: either way nobody knows what stays.
 */
export function inStep(answered: Answered): boolean {
  const { ends, before, after, refused, answers, prelude, sent } = answered;
  switch (ends) {
    case "free":
      // what no command of the caller's changed has to be as before
      if (refused) return after !== "open";
      return after === before || answers.some(({ command }) => command === "PREPARE" || control.has(command));
    case "autocommit":
      return after === "idle";
    case "script":
      return after === "idle" || (refused && after === "failed");
    case "rollback":
      return refused || after === "idle";
    case "open":
    case "commit": {
      const behind = answers.length - (!refused && ends === "commit" ? 1 : 0);
      for (let index = prelude; index < behind; index++) if (control.has(answers[index]?.command ?? null)) return false;
      if (!refused && ends === "commit" && !ended.has(answers.at(-1)?.command ?? null)) return false;
      if (!refused) return after === (ends === "open" ? "open" : "idle");
      // a block that failed waits for its ROLLBACK; only a BEGIN that was refused, or a COMMIT, leaves none behind
      const atBegin = before === "idle" && answers.length === 0;
      const atCommit = ends === "commit" && answers.length === sent - 1;
      return after === "failed" || (after === "idle" && (atBegin || atCommit));
    }
  }
}
