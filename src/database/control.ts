import { UsageError } from "../errors/errors.ts";
import type { Statement } from "../transports/transport.ts";

/** Commands that begin, end or divide a transaction. Source: PostgreSQL documentation, "SQL Commands". */
const controlWords: ReadonlySet<string> = new Set(["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"]);

/** Only PREPARE TRANSACTION is control; PREPARE alone is not. */
const PREPARE_TRANSACTION = /^PREPARE\s+TRANSACTION\b/i;

/**
 * Refuses a statement that begins, ends or divides a transaction: outside a session it would reach another connection than the next
 * statement, and inside a transaction it would end it behind the package's back. A statement's command is its first word.
 *
 * @throws UsageError TRANSACTION_CONTROL
 */
export function refuseTransactionControl({ text }: Statement): void {
  const start = commandStart(text);
  const word = /^[A-Za-z]{3,9}(?![A-Za-z0-9_])/.exec(text.slice(start, start + 10))?.[0].toUpperCase();
  if (word === undefined || !(controlWords.has(word) || (word === "PREPARE" && PREPARE_TRANSACTION.test(text.slice(start))))) return;
  throw new UsageError(
    `${word} controls a transaction. Use db.transaction(), with tx.transaction() for savepoints; db.session() takes such statements as they are.`,
    {
      code: "TRANSACTION_CONTROL",
    },
  );
}

/** Where the first word begins: after white space and comments, which nest. */
function commandStart(text: string): number {
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at++;
    if (text.startsWith("--", at)) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith("/*", at)) at = afterBlockComment(text, at);
    else return at;
  }
}

function afterBlockComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; ) {
    if (text.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else if (text.startsWith("*/", at)) {
      depth--;
      at += 2;
      if (depth === 0) return at;
    } else at++;
  }
  return text.length;
}
