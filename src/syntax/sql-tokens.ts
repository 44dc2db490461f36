import { Lexer, type LexerOptions, type TokenKind } from "./lexer.ts";

/** A piece of SQL. */
export interface SqlToken {
  readonly kind: TokenKind;
  readonly text: string;
  /** Whether space or a comment stands before it. */
  readonly spaced: boolean;
}

/** Splits SQL into its tokens; space and comments are left out. What is cut off in the middle of a literal is a literal to its end. */
export function sqlTokens(text: string, options?: LexerOptions): readonly SqlToken[] {
  const lexer = new Lexer(text, options);
  const tokens: SqlToken[] = [];
  while (lexer.next()) tokens.push({ kind: lexer.kind, text: lexer.token, spaced: lexer.spaced });
  return tokens;
}
