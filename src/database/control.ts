import { UsageError } from "../errors/errors.ts";
import type { Statement } from "../transports/transport.ts";

/** Commands that begin, end or divide a transaction; PREPARE alone does not. Source: PostgreSQL documentation, "SQL Commands". */
const controlCommand = /^(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE(?=\s+TRANSACTION\b))\b/i;

/**
 * Refuses a statement that begins, ends or divides a transaction: outside a session it would reach another connection than the next
 * statement, and inside a transaction it would end it behind the package's back. A statement's command is its first word.
 *
 * @throws UsageError TRANSACTION_CONTROL
 */
export function refuseTransactionControl({ text }: Statement): void {
  const word = controlCommand.exec(withoutComments(text))?.[0].toUpperCase();
  if (word === undefined) return;
  throw new UsageError(`${word} controls a transaction. Use db.transaction(), or db.session().`, { code: "TRANSACTION_CONTROL" });
}

/** The text from its first word on: without the white space and comments before it. Block comments nest. */
function withoutComments(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const pair = text.slice(at, at + 2);
    if (pair === "/*" || (pair === "*/" && depth > 0)) {
      depth += pair === "/*" ? 1 : -1;
      at++;
    } else if (depth === 0 && pair === "--") at += text.slice(at).search(/\n|$/);
    else if (depth === 0 && /\S/.test(pair.charAt(0))) return text.slice(at);
  }
  return "";
}
