import { afterSpace } from "./space.ts";

/** Commands that begin, end or divide a transaction, and PREPARE, which does where TRANSACTION follows. Source: PostgreSQL documentation, "SQL Commands". */
const commands = /(?:ABORT|BEGIN|COMMIT|END|PREPARE|RELEASE|ROLLBACK|SAVEPOINT|START)(?![\w$\x80-\uffff])/iy;
const transaction = /TRANSACTION(?![\w$\x80-\uffff])/iy;

/**
 * The command of a statement that begins, ends or divides a transaction; undefined of any other. It is a statement's first word, whatever
 * comments and empty statements stand before it; no string can, so the reading depends on no setting of the server. What follows a first
 * statement is not looked at: the extended protocol takes one statement in a text, and refuses more with 42601.
 *
 * It runs before each statement that is sent, and is in every bundle; so it reads no further than it must, and needs only the lexer's spaces.
 */
export function transactionControl(text: string): string | undefined {
  let from = afterSpace(text, 0);
  while (text[from] === ";") from = afterSpace(text, from + 1);
  const word = readAt(commands, text, from);
  if (word !== "PREPARE") return word;
  return readAt(transaction, text, afterSpace(text, from + word.length)) && "PREPARE TRANSACTION";
}

function readAt(words: RegExp, text: string, from: number): string | undefined {
  words.lastIndex = from;
  return words.exec(text)?.[0].toUpperCase();
}
