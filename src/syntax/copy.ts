import { type StatementTokens, word } from "./statements.ts";

/** Where COPY reads or writes: over the wire, or what is at the server, a program or a file. Undefined where it does not say. */
export interface CopyEnd {
  readonly direction: "FROM" | "TO";
  readonly overTheWire: boolean;
}

/** The first FROM or TO that stands in no brackets says it; STDIN and STDOUT mean the same there. Source: `CopyStmt` in gram.y of Postgres 18. */
export function copyEnd(statement: StatementTokens): CopyEnd | undefined {
  let depth = 0;
  for (const [at, token] of statement.entries()) {
    if (token.kind === "sign") depth += token.text === "(" ? 1 : token.text === ")" ? -1 : 0;
    const direction = word(token);
    if (depth !== 0 || (direction !== "FROM" && direction !== "TO")) continue;
    const place = word(statement[at + 1]);
    return { direction, overTheWire: place === "STDIN" || place === "STDOUT" };
  }
  return undefined;
}
