import { type StatementTokens, statements, word } from "./statements.ts";

/** What changes rows, wherever it stands in a statement. */
const changes: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

/** What only reads, as far as its own text tells: its functions may do more. */
const reads: ReadonlySet<string> = new Set(["SELECT", "VALUES", "TABLE", "SHOW", "FETCH"]);

/** What may hold what changes rows. */
const holders: ReadonlySet<string> = new Set(["WITH", "EXPLAIN", ""]);

/** Whether a text says of itself that it writes. A lock (`for update`) is no writing. */
export function writes(text: string): boolean {
  return statements(text).some((tokens) => {
    const first = word(tokens[0]);
    return !reads.has(first) && (!holders.has(first) || tokens.some((_, at) => isChange(tokens, at)));
  });
}

function isChange(tokens: StatementTokens, at: number): boolean {
  const before = word(tokens[at - 1]);
  return changes.has(word(tokens[at])) && before !== "FOR" && before !== "KEY";
}
