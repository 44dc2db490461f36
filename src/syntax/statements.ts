import { keyword, type LexerOptions } from "./lexer.ts";
import { type SqlToken, sqlTokens } from "./sql-tokens.ts";

/** The tokens of one statement; never none. */
export type StatementTokens = readonly SqlToken[];

/**
 * The statements of a text, without the empty ones: as many as the server answers with CommandComplete when it runs the text whole. They end
 * at a semicolon, save in brackets (the actions of a rule) and in a function's `BEGIN ATOMIC … END`, where END ends it that begins a
 * statement of its own. Source: gram.y of Postgres 18 (`RuleActionMulti`, `routine_body_stmt_list`).
 *
 * A text that is no SQL is split in some way: the server runs nothing of it.
 */
export function statements(text: string, options?: LexerOptions): readonly StatementTokens[] {
  const found: SqlToken[][] = [];
  let statement: SqlToken[] = [];
  let depth = 0;
  let inBody = false;
  for (const token of sqlTokens(text, options)) {
    const before = statement.at(-1);
    if (token.kind === "sign") {
      if (token.text === "(") depth++;
      else if (token.text === ")") depth--;
      else if (token.text === ";" && depth <= 0 && !inBody) {
        if (statement.length > 0) found.push(statement);
        statement = [];
        depth = 0;
        continue;
      }
    }
    if (inBody && word(token) === "END" && (before?.text === ";" || word(before) === "ATOMIC")) inBody = false;
    if (word(token) === "ATOMIC" && word(before) === "BEGIN" && depth === 0 && makesRoutine(statement)) inBody = true;
    statement.push(token);
  }
  if (statement.length > 0) found.push(statement);
  return found;
}

/**
 * The statements of a text as a server may read it: twice where a backslash is in it, for there `standard_conforming_strings` decides. What may be
 * so by either reading is taken to be so.
 */
export function readings(text: string): readonly (readonly StatementTokens[])[] {
  const usual = statements(text);
  return text.includes("\\") ? [usual, statements(text, { backslashes: true })] : [usual];
}

/** What the first statement to have any has of what is asked for, by whichever reading. */
export function firstOf<T>(text: string, find: (statement: StatementTokens) => T | undefined): T | undefined {
  for (const statement of readings(text).flat()) {
    const found = find(statement);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The statements of a text as texts of their own, for where only one goes at a time. Comments are left out, and a line's end stands for space:
 * between the pieces of a literal nothing else may.
 */
export function statementTexts(text: string): readonly string[] {
  return statements(text).map((tokens) => tokens.map((token) => (token.spaced ? "\n" : "") + token.text).join(""));
}

function makesRoutine(tokens: StatementTokens): boolean {
  const [first, ...rest] = tokens.slice(0, 4).map(word);
  const [what] = rest[0] === "OR" && rest[1] === "REPLACE" ? rest.slice(2) : rest;
  return first === "CREATE" && (what === "FUNCTION" || what === "PROCEDURE");
}

/** A word in upper case; empty for all that is none, a quoted name among them. */
export function word(token: SqlToken | undefined): string {
  return token?.kind === "word" ? keyword(token.text) : "";
}

/** A name as Postgres looks it up: unquoted in lower case. Empty for what is none. */
export function nameOf(token: SqlToken | undefined): string {
  if (token?.kind === "name") return token.text.slice(1, -1);
  return token?.kind === "word" ? token.text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : "";
}

/**
 * What a statement does, by its first words: `INSERT`, `COMMIT`, `(`; two where one does not tell, as in `PREPARE TRANSACTION`,
 * `COMMIT PREPARED`, `ROLLBACK PREPARED` and `ROLLBACK TO`.
 */
export function command(tokens: StatementTokens): string {
  const [first, second] = tokens;
  const both = `${word(first)} ${word(second)}`;
  if (twoWords.has(both)) return both;
  return word(first) || (first?.text ?? "");
}

const twoWords = new Set(["PREPARE TRANSACTION", "COMMIT PREPARED", "ROLLBACK PREPARED", "ROLLBACK TO"]);
