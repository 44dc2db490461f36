import { statements, word } from "./statements.ts";
import { transactionControl } from "./transaction-control.ts";

/** What a statement that controls transactions leaves where the server takes it: an open block, none, or what there was. */
export type BlockControl = "opens" | "closes" | "keeps";

/**
 * What a statement leaves of a transaction block; undefined where it controls none. With AND CHAIN an end opens the next block; what concerns a
 * savepoint, or what was prepared, changes nothing. Source: PostgreSQL documentation, "SQL Commands".
 */
export function blockControl(text: string): BlockControl | undefined {
  const command = transactionControl(text);
  if (command === undefined) return undefined;
  if (command === "BEGIN" || command === "START") return "opens";
  if (command === "PREPARE TRANSACTION") return "closes";
  if (command === "SAVEPOINT" || command === "RELEASE") return "keeps";
  const words = statements(text)[0]?.map(word) ?? [];
  if (words.includes("CHAIN") && !words.includes("NO")) return "opens";
  return words.includes("TO") || words[1] === "PREPARED" ? "keeps" : "closes";
}
