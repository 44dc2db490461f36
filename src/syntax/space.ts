// a file by itself: the guard needs no more of the lexer at a cold start, and bundlers split by files

/** White space, a comment to the end of its line, for a carriage return is one too, or the beginning of one that nests. Source: `whitespace`. */
const space = /[ \t-\r]+|--[^\n\r]*|\/\*/y;
const nesting = /\/\*|\*\//g;

/** Past white space and comments; block comments nest. */
export function afterSpace(text: string, from: number): number {
  let at = from;
  for (let depth = 0; ; ) {
    const rule = depth ? nesting : space;
    rule.lastIndex = at;
    const found = rule.exec(text)?.[0];
    if (found === undefined) return depth ? text.length : at;
    if (found === "/*") depth++;
    else if (depth) depth--;
    at = rule.lastIndex;
  }
}
