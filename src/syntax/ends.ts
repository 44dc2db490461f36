import { backslash, dash, dollar, dot, doubleQuote, isDigit, isLetter, isLineEnd, isSpace, quote } from "./characters.ts";

/*
 * Where things end that begin at a position of a text. What is never ended goes on to the end of the text. Each looks at every character a
 * fixed number of times, whatever the text. Source: scan.l of Postgres 18, whose names for its rules are given.
 */

/** At the end of a line. */
function afterLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isLineEnd(text.charCodeAt(at))) at++;
  return at;
}

/** Past an unquoted name or keyword; `from` itself where none begins. Source: `identifier`. */
export function afterWord(text: string, from: number): number {
  if (!isLetter(text.charCodeAt(from))) return from;
  for (let at = from + 1; ; at++) {
    const code = text.charCodeAt(at);
    if (!isLetter(code) && !isDigit(code) && code !== dollar) return at;
  }
}

/** Past a name in double quotes; `from` is behind the first of them. */
export function afterName(text: string, from: number): number {
  for (let at = from; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    if (text.charCodeAt(at + 1) !== doubleQuote) return at + 1;
  }
}

/** How a string is read: whether a backslash escapes what follows it, and whether two quotes stand for one. */
interface StringRules {
  readonly escapes: boolean;
  readonly doubles: boolean;
}

/** Past a string; `from` is behind its first quote. What continues it on another line is read by the same rules. */
export function afterString(text: string, from: number, { escapes, doubles }: StringRules): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash && escapes) at++;
    else if (code === quote) {
      if (doubles && text.charCodeAt(at + 1) === quote) at++;
      else {
        const next = continuation(text, at + 1);
        if (next === undefined) return at + 1;
        at = next;
      }
    }
  }
  return text.length;
}

/** The quote that goes on with a string behind a line's end, with nothing but white space and `--` comments before it. Source: `quotecontinue`. */
function continuation(text: string, from: number): number | undefined {
  let newLine = false;
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return newLine ? at : undefined;
    if (code === dash && text.charCodeAt(at + 1) === dash) at = afterLine(text, at + 2);
    else if (!isSpace(code)) return undefined;
    newLine ||= isLineEnd(text.charCodeAt(at));
  }
}

/** Past a string in dollar quotes, where one begins at `from`; otherwise undefined. Source: `dolqdelim`. */
export function afterDollarQuote(text: string, from: number): number | undefined {
  let at = from + 1;
  if (isLetter(text.charCodeAt(at))) while (isLetter(text.charCodeAt(at)) || isDigit(text.charCodeAt(at))) at++;
  if (text.charCodeAt(at) !== dollar) return undefined;
  const delimiter = text.slice(from, at + 1);
  const end = text.indexOf(delimiter, at + 1);
  return end < 0 ? text.length : end + delimiter.length;
}

const prefixed: Readonly<Record<string, RegExp>> = { x: /[\da-f]/i, o: /[0-7]/, b: /[01]/ };

/** Past a number. What stands against its end begins a token of its own: so it was before Postgres 15, and since then it is an error. */
export function afterNumber(text: string, from: number): number {
  const digit = text.charAt(from) === "0" ? prefixed[text.charAt(from + 1).toLowerCase()] : undefined;
  if (digit !== undefined) {
    const end = afterDigits(text, from + 2, (at) => digit.test(text.charAt(at)));
    if (end > from + 2) return end;
  }
  const isDecimal = (at: number) => isDigit(text.charCodeAt(at));
  let at = afterDigits(text, from, isDecimal);
  // 1..10 is a range
  if (text.charCodeAt(at) === dot && text.charCodeAt(at + 1) !== dot) at = afterDigits(text, at + 1, isDecimal);
  if (text.charAt(at).toLowerCase() !== "e") return at;
  const exponent = at + (/[+-]/.test(text.charAt(at + 1)) ? 2 : 1);
  return isDecimal(exponent) ? afterDigits(text, exponent, isDecimal) : at;
}

/** Underscores may stand between digits. */
function afterDigits(text: string, from: number, isDigitAt: (at: number) => boolean): number {
  let at = from;
  while (isDigitAt(at) || (text.charAt(at) === "_" && isDigitAt(at + 1))) at++;
  return at;
}
