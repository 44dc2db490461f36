import { keyword } from "../syntax/lexer.ts";
import { sqlTokens } from "../syntax/sql-tokens.ts";

const shownAs: Readonly<Record<string, string>> = { literal: "'", name: '"' };

/**
 * The words and signs of each statement in `text`, words in upper case. Comments are left out; a literal stands there as `'`, a quoted name
 * as `"`.
 */
export function statementWords(text: string): readonly (readonly string[])[] {
  const statements: string[][] = [[]];
  for (const { kind, text: found } of sqlTokens(text)) {
    if (found === ";") statements.push([]);
    else statements.at(-1)?.push(shownAs[kind] ?? keyword(found));
  }
  return statements.filter((words) => words.length > 0);
}
