/** A piece of SQL. A `literal` holds a value; a `name` is quoted. */
export interface SqlToken {
  readonly kind: "word" | "name" | "literal" | "sign";
  readonly text: string;
  /** Whether space or a comment stands before it. */
  readonly spaced: boolean;
}

const parts = [
  String.raw`\s+|--[^\n]*|\/\*`,
  String.raw`(?<escaped>e'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'?)`,
  "(?<string>(?:u&|[bxn])?'[^']*(?:''[^']*)*'?)",
  '(?<name>(?:u&)?"[^"]*(?:""[^"]*)*"?)',
  String.raw`(?<dollar>\$(?:[\p{L}_][\p{L}\w]*)?\$)`,
  String.raw`(?<parameter>\$\d+)`,
  String.raw`(?<word>[\p{L}_][\p{L}\w$]*)`,
  String.raw`(?<number>0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d+)?|\.\d[\d_]*(?:e[+-]?\d+)?)`,
  ".",
];
const token = new RegExp(parts.join("|"), "isuy");

/**
 * Splits SQL into its tokens; space and comments are left out. What is cut off in the middle of a literal is a literal to its end. Source:
 * PostgreSQL documentation, "Lexical Structure"; strings as `standard_conforming_strings`, on since 9.1, reads them.
 */
export function sqlTokens(text: string): readonly SqlToken[] {
  const tokens: SqlToken[] = [];
  let spaced = false;
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at;
    const match = token.exec(text);
    const found = match?.[0] ?? text.charAt(at);
    const { escaped, string, name, dollar, word, number } = match?.groups ?? {};
    const from = at;
    at += found.length;
    if (/^\s|^--|^\/\*/.test(found)) {
      spaced = true;
      if (found === "/*") at = afterComment(text, at);
      continue;
    }
    if (dollar) at = afterDollarQuote(text, at, dollar);
    const isLiteral = (escaped ?? string ?? dollar ?? number) !== undefined;
    const kind = isLiteral ? "literal" : word ? "word" : name ? "name" : "sign";
    tokens.push({ kind, text: text.slice(from, at), spaced });
    spaced = false;
  }
  return tokens;
}

/** Comments nest. */
function afterComment(text: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  for (let depth = 1; depth > 0; ) {
    const found = mark.exec(text);
    if (found === null) return text.length;
    depth += found[0] === "/*" ? 1 : -1;
  }
  return mark.lastIndex;
}

function afterDollarQuote(text: string, from: number, quote: string): number {
  const end = text.indexOf(quote, from);
  return end < 0 ? text.length : end + quote.length;
}
