import { keyword, Lexer } from "../syntax/lexer.ts";
import { invalidStatement } from "./refuse-value.ts";

/** What a list of nothing is until the text around it is known: no statement can hold this character. */
export const EMPTY_LIST = "\0";

/**
 * A statement's text with its lists of nothing written so that `x in ()` is false and `x not in ()` is true, also of NULL, and for every type
 * that has lists: `x in (null)` has x's type, and what is compared is text. Each ends as it would have, so that what follows reads it alike.
 * Postgres has no list of nothing, and a query of none in its place has a type of its own. Elsewhere they are left.
 */
export function placeEmptyLists(text: string): string {
  const lexer = new Lexer(text);
  const pieces: string[] = [];
  let from = 0;
  let before: readonly [string, string, string] = ["", "", ""];
  for (let more = lexer.next(); more; ) {
    const { start, end, token } = lexer;
    more = lexer.next();
    const [not, word, bracket] = before;
    // after a dot `in` is the name of a function
    if (token === EMPTY_LIST && bracket === "(" && word === "IN" && not !== "." && lexer.token === ")") {
      pieces.push(text.slice(from, start), not === "NOT" ? "null)::text <> all ('{}'" : "null)::text = any ('{}'");
      from = end;
    }
    before = [word, bracket, keyword(token)];
  }
  return pieces.join("") + text.slice(from);
}

/** The text without the lists that have no place in it, to be looked at. */
export function hideEmptyLists(text: string): string {
  return text.replaceAll(EMPTY_LIST, "");
}

/** @throws UsageError INVALID_STATEMENT where a list of nothing has no meaning */
export function refuseEmptyLists(text: string): void {
  if (!text.includes(EMPTY_LIST)) return;
  throw invalidStatement("An empty sql.join stands in x in (…) and x not in (…) alone; for array[…] give the array itself as the value.");
}
