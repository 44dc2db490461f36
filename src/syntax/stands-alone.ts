import { command, statements } from "./statements.ts";

/** Commands that leave the connection as it was, whether they succeed or fail. */
const standing: ReadonlySet<string> = new Set(["SELECT", "(", "VALUES", "TABLE", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"]);

/** Whether a text is one statement that other calls may stand behind on its connection, whichever way the server reads its backslashes. */
export function standsAlone(text: string): boolean {
  const isOne = (all: ReturnType<typeof statements>) => all.length === 1 && all[0] !== undefined && standing.has(command(all[0]));
  return isOne(statements(text)) && (!text.includes("\\") || isOne(statements(text, { backslashes: true })));
}
