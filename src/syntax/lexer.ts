import { ampersand, dollar, dot, doubleQuote, isDigit, isLetter, quote } from "./characters.ts";
import { afterDollarQuote, afterName, afterNumber, afterString, afterWord } from "./ends.ts";
import { afterSpace } from "./space.ts";

/** A `literal` holds a value; a `name` is quoted; a `sign` is a parameter, or one character of punctuation or of an operator. */
export type TokenKind = "word" | "name" | "literal" | "sign";

/** What a server may be set to. */
export interface LexerOptions {
  /** Whether a backslash escapes in a plain string, as it does with `standard_conforming_strings` off. Default: false. */
  readonly backslashes?: boolean;
}

/**
 * Reads SQL token by token, as Postgres does, and no further than it is asked; space and comments are left out. What is cut off in the
 * middle is a token to the end of the text. Operators come in single characters: then a comment that begins inside of one is seen where
 * Postgres sees it. Source: scan.l of Postgres 18.
 */
export class Lexer {
  /** Of the token read last, as are `start`, `end` and `spaced`. */
  kind: TokenKind = "sign";
  start = 0;
  end = 0;
  /** Whether space or a comment stands before it. */
  spaced = false;
  readonly #text: string;
  readonly #backslashes: boolean;

  constructor(text: string, { backslashes = false }: LexerOptions = {}) {
    this.#text = text;
    this.#backslashes = backslashes;
  }

  /** Reads the next token; false at the end of the text. */
  next(): boolean {
    const from = this.end;
    this.start = afterSpace(this.#text, from);
    this.spaced = this.start > from;
    this.end = this.start;
    if (this.start >= this.#text.length) return false;
    this.end = this.#read(this.#text.charCodeAt(this.start));
    return true;
  }

  /** The text of the token. */
  get token(): string {
    return this.#text.slice(this.start, this.end);
  }

  /** Finds the token's kind, and gives its end. */
  #read(code: number): number {
    const text = this.#text;
    const next = this.start + 1;
    const nextCode = text.charCodeAt(next);
    if (isLetter(code)) return this.#readWord(nextCode);
    if (code === doubleQuote) return this.#name(next);
    if (code === quote) return this.#string(next, this.#backslashes);
    if (isDigit(code) || (code === dot && isDigit(nextCode))) return this.#literal(afterNumber(text, this.start));
    this.kind = "sign";
    if (code !== dollar) return next;
    if (!isDigit(nextCode)) {
      const end = afterDollarQuote(text, this.start);
      return end === undefined ? next : this.#literal(end);
    }
    let end = next;
    while (isDigit(text.charCodeAt(end))) end++;
    return end;
  }

  /** A word, or what one letter before a quote makes of it. */
  #readWord(nextCode: number): number {
    const text = this.#text;
    const next = this.start + 1;
    const letter = nextCode === quote || nextCode === ampersand ? text.charAt(this.start).toLowerCase() : "";
    if (nextCode === quote) {
      if (letter === "e") return this.#string(next + 1, true);
      if (letter === "n") return this.#string(next + 1, this.#backslashes);
      if (letter === "b" || letter === "x") return this.#literal(afterString(text, next + 1, { escapes: false, doubles: false }));
    } else if (letter === "u") {
      const opening = text.charCodeAt(next + 1);
      if (opening === quote) return this.#string(next + 2, false);
      if (opening === doubleQuote) return this.#name(next + 2);
    }
    this.kind = "word";
    return afterWord(text, this.start);
  }

  #string(from: number, escapes: boolean): number {
    return this.#literal(afterString(this.#text, from, { escapes, doubles: true }));
  }

  #literal(end: number): number {
    this.kind = "literal";
    return end;
  }

  #name(from: number): number {
    this.kind = "name";
    return afterName(this.#text, from);
  }
}

/** A word as Postgres looks it up among its keywords: none but ASCII letters have a case. `ı` is no I to it. */
export function keyword(word: string): string {
  return word.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
