import { UsageError } from "../errors/errors.ts";
import type { Statement } from "../transports/transport.ts";

/**
 * Commands that begin, end or divide a transaction; PREPARE alone does not. Sticky, for it is read from where the first word begins. Source:
 * PostgreSQL documentation, "SQL Commands".
 */
const controlCommand = /(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE(?=\s+TRANSACTION\b))(?![A-Za-z0-9_])/iy;

/**
 * Refuses a statement that begins, ends or divides a transaction: outside a session it would reach another connection than the next
 * statement, and inside a transaction it would end it behind the package's back. A statement's command is its first word.
 *
 * @throws UsageError TRANSACTION_CONTROL
 */
export function refuseTransactionControl({ text }: Statement): void {
  controlCommand.lastIndex = commandStart(text);
  const word = controlCommand.exec(text)?.[0].toUpperCase();
  if (word === undefined) return;
  throw new UsageError(`${word} controls a transaction. Use db.transaction(), or db.session(), which takes it as it is.`, {
    code: "TRANSACTION_CONTROL",
  });
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
