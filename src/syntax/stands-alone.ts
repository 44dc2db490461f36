import { sessionUse } from "./session-use.ts";
import { command, readings } from "./statements.ts";

/** Commands that leave the connection as it was, whether they succeed or fail. */
const standing: ReadonlySet<string> = new Set(["SELECT", "(", "VALUES", "TABLE", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"]);

/**
 * Whether a text is one statement that other calls may stand behind on its connection, whichever way the server reads its backslashes: it
 * leaves no setting, lock or temporary object of the session behind.
 */
export function standsAlone(text: string): boolean {
  if (sessionUse(text) !== undefined) return false;
  return readings(text).every(([first, ...others]) => first !== undefined && others.length === 0 && standing.has(command(first)));
}
