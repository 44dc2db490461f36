const token = /\s+|--[^\n]*|\/\*|e'(?:[^'\\]|\\.|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|\$(?:[a-z_]\w*)?\$|[\p{L}_][\w$\p{L}]*|./isuy;

/**
 * The words and signs of each statement in `text`, words in upper case. Comments are left out; a literal stands there as `'`, a quoted name
 * as `"`. Source: PostgreSQL documentation, "Lexical Structure".
 */
export function statementWords(text: string): readonly (readonly string[])[] {
  const statements: string[][] = [[]];
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at;
    const found = token.exec(text)?.[0] ?? text.charAt(at);
    at += found.length;
    if (found === ";") statements.push([]);
    else if (found === "/*") at = afterComment(text, at);
    else if (/^\$.*\$$/s.test(found)) {
      at = afterDollarQuote(text, at, found);
      statements.at(-1)?.push("'");
    } else if (/^e?'/i.test(found)) statements.at(-1)?.push("'");
    else if (found.startsWith('"')) statements.at(-1)?.push('"');
    else if (!/^(\s|--)/.test(found)) statements.at(-1)?.push(found.toUpperCase());
  }
  return statements.filter((words) => words.length > 0);
}

/** Comments nest. */
function afterComment(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; ) {
    if (text.startsWith("/*", at)) depth++;
    else if (text.startsWith("*/", at)) depth--;
    else {
      at++;
      continue;
    }
    at += 2;
    if (depth === 0) return at;
  }
  return text.length;
}

function afterDollarQuote(text: string, from: number, quote: string): number {
  const end = text.indexOf(quote, from);
  return end < 0 ? text.length : end + quote.length;
}
