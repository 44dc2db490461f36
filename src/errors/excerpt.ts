import { Lexer } from "../syntax/lexer.ts";

/** So much of a statement is kept with its error, and of a line shown, in characters. */
const LONGEST_STATEMENT = 10_000;
const LONGEST_LINE = 120;

/** A statement's text as it may be shown: what stands in strings is blanked, character by character, for it may be a value, or a role's password. */
export function withoutStrings(text: string): string {
  const cut = text.length > LONGEST_STATEMENT ? `${text.slice(0, LONGEST_STATEMENT)}…` : text;
  const lexer = new Lexer(cut);
  let shown = "";
  let done = 0;
  while (lexer.next()) {
    const opening = lexer.kind === "literal" ? lexer.token.search(/['$]/) : -1;
    if (opening < 0) continue;
    const from = lexer.start + opening;
    shown += cut.slice(done, from) + cut.slice(from, lexer.end).replace(/[^'$\s]/gu, "*");
    done = lexer.end;
  }
  return shown + cut.slice(done);
}

/**
 * The line of a statement at a position, and a caret below it; empty where that is not in it.
 * @param position counts characters from 1, as the server does
 */
export function excerptAt(statement: string, position: number): string {
  // by characters, as the server counts them
  const characters = [...statement];
  if (!(position >= 1 && position <= characters.length + 1)) return "";
  const at = position - 1;
  const before = characters.slice(0, at).join("");
  const lineStart = before.lastIndexOf("\n") + 1;
  const offset = [...before.slice(lineStart)].length;
  const line = [...(statement.slice(lineStart).split("\n", 1)[0] as string)];
  const from = Math.max(0, Math.min(offset - LONGEST_LINE / 2, line.length - LONGEST_LINE));
  const shown = line.slice(from, from + LONGEST_LINE).map((character) => (/\s/.test(character) ? " " : character));
  return `\n    ${shown.join("")}\n    ${" ".repeat(offset - from)}^`;
}
