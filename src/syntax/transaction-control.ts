import { semicolon } from "./characters.ts";
import { afterSpace, afterWord } from "./ends.ts";
import { keyword } from "./lexer.ts";

/** Commands that begin, end or divide a transaction, and PREPARE, which does where TRANSACTION follows. Source: PostgreSQL documentation, "SQL Commands". */
const commands = new Set(["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE"]);
/** Tells nearly every statement apart at once: this runs before each that is sent. */
const begins = new RegExp([...commands].join("|"), "iy");

/**
 * The command of a statement that begins, ends or divides a transaction; undefined of any other. It is a statement's first word, whatever
 * comments and empty statements stand before it; no string can, so the reading depends on no setting of the server. What follows a first
 * statement is not looked at: the extended protocol takes one statement in a text, and refuses more with 42601.
 */
export function transactionControl(text: string): string | undefined {
  let from = afterSpace(text, 0);
  while (text.charCodeAt(from) === semicolon) from = afterSpace(text, from + 1);
  begins.lastIndex = from;
  if (!begins.test(text)) return undefined;
  const end = afterWord(text, from);
  const word = keyword(text.slice(from, end));
  if (!commands.has(word)) return undefined;
  return word === "PREPARE" ? preparing(text, end) : word;
}

function preparing(text: string, from: number): string | undefined {
  const start = afterSpace(text, from);
  return keyword(text.slice(start, afterWord(text, start))) === "TRANSACTION" ? "PREPARE TRANSACTION" : undefined;
}
