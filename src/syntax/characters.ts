/** Characters by their codes. */
export const quote = 0x27;
export const doubleQuote = 0x22;
export const dollar = 0x24;
export const ampersand = 0x26;
export const dash = 0x2d;
export const dot = 0x2e;
export const backslash = 0x5c;
const underscore = 0x5f;

/** Postgres' own white space, and no other: U+00A0 is a letter to it. Source: `space` in scan.l; `\v` is one since Postgres 16. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

export function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** What an unquoted name begins with: all that is not ASCII does, for every byte over 0x7f counts. Source: `ident_start` in scan.l. */
export function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === underscore || code > 0x7f;
}
