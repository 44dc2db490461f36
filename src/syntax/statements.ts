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
