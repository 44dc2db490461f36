import { copyEnd } from "./copy.ts";
import { command, readings, type StatementTokens, word } from "./statements.ts";

/**
 * Whether an ERROR may leave something of `text` done, where it was sent outside a transaction block. No, where the server is known to undo
 * each of its statements whole; yes for all that is not known. What no error undoes, wherever it stands, is not counted: sequences, locks of
 * the session, files, and what a function does by another connection.
 *
 * - A command that commits by itself may: CALL, DO, VACUUM, CREATE INDEX CONCURRENTLY and so on.
 * - A COMMIT may where a statement follows that can fail. By itself, or at the end, it may not: when it fails nothing stays.
 * - Where a backslash can be read in two ways, yes if either reading says so.
 *
 * The list was held against Postgres 15 and 18; `test/syntax` does so again.
 */
export function mayCommitByItself(text: string): boolean {
  return readings(text).some(leavesSomething);
}

/**
 * The same of a text sent by the simple protocol whose first statement failed: several statements stand in a block together, so only one that
 * is alone can leave something. Source: PostgreSQL documentation, "Multiple Statements in a Simple Query".
 */
export function isOneSelfCommitting(text: string): boolean {
  return readings(text).some((all) => all.length === 1 && leavesSomething(all));
}

/** Whether a text may make lasting what was done in the block it is sent in. No, where it is one statement, and none that does. */
export function mayCommitBlock(text: string): boolean {
  return readings(text).some((all) => all.length !== 1 || all.some((statement) => commits.has(command(statement))));
}

function leavesSomething(all: readonly StatementTokens[]): boolean {
  return all.some((statement, index) => !isUndone(statement) || (commits.has(command(statement)) && index < all.length - 1));
}

/** What makes lasting what was done before. */
const commits = new Set(["COMMIT", "END", "PREPARE TRANSACTION", "COMMIT PREPARED"]);

/** Commands of which nothing stays when they fail. */
const undone = new Set([
  ...["SELECT", "(", "VALUES", "TABLE", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE"],
  ...["EXECUTE", "EXPLAIN", "DECLARE", "FETCH", "MOVE", "CLOSE", "PREPARE", "DEALLOCATE"],
  ...["SHOW", "SET", "RESET", "LOCK", "LISTEN", "UNLISTEN", "NOTIFY"],
  ...["COMMENT", "GRANT", "REVOKE", "SECURITY", "REASSIGN", "REFRESH", "IMPORT"],
  ...["BEGIN", "START", "SAVEPOINT", "RELEASE", "ROLLBACK", "ROLLBACK TO", "ROLLBACK PREPARED", "ABORT"],
  ...commits,
]);

/** What CREATE, ALTER and DROP do outside of any transaction. */
const outside = new Set(["DATABASE", "TABLESPACE", "SUBSCRIPTION", "SYSTEM"]);

function isUndone(statement: StatementTokens): boolean {
  const name = command(statement);
  if (name === "COPY") return copyEnd(statement)?.overTheWire ?? false;
  if (name === "CREATE" || name === "ALTER" || name === "DROP") return !outside.has(word(statement[1])) && !goesInSteps(statement);
  return undone.has(name);
}

/** CONCURRENTLY is a keyword that names no column, so it may stand anywhere; ASYNC, Aurora DSQL's word for it, stands behind INDEX. */
function goesInSteps(statement: StatementTokens): boolean {
  return statement.some((token, at) => word(token) === "CONCURRENTLY" || (word(token) === "ASYNC" && word(statement[at - 1]) === "INDEX"));
}
