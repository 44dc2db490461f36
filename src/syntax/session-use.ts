import { copyEnd } from "./copy.ts";
import type { SqlToken } from "./sql-tokens.ts";
import { command, firstOf, nameOf, type StatementTokens, word } from "./statements.ts";

/**
 * What of its session a statement changes, takes or waits for, beyond its own transaction.
 *
 * - `setting`: SET, RESET, set_config without `true`, UPDATE of pg_settings.
 * - `lock`: an advisory lock of the session, taken or given up.
 * - `temporary`: a temporary object that outlives the transaction.
 * - `prepared`: a statement that PREPARE keeps.
 * - `cursor`: one WITH HOLD.
 * - `library`: LOAD.
 * - `everything`: DISCARD.
 * - `listening` and `copying`: LISTEN, and COPY … TO STDOUT, whose answers come beside the rows.
 */
export type SessionUseKind = "setting" | "lock" | "temporary" | "prepared" | "cursor" | "library" | "everything" | "listening" | "copying";

/** What a statement does to its session, and the word of it that does. */
export interface SessionUse {
  readonly kind: SessionUseKind;
  readonly by: string;
}

/**
 * The first use of the session in `text`, where there is one. Told by the first words and by the functions that are named: what a function does
 * inside, or DO, cannot be seen. Either reading of its backslashes counts.
 */
export function sessionUse(text: string): SessionUse | undefined {
  return mayUse.test(text) ? firstOf(text, useOf) : undefined;
}

/** A text without any of these words is not read: SET counts only where a statement may begin, for every UPDATE has one. */
const mayUse =
  /set_config|pg_settings|advisory|temp|(?<![\w$])(?:reset|discard|prepare|execute|deallocate|declare|load|listen|unlisten|copy)(?![\w$])|(?:^|;|\*\/|[\n\r])[ \t\f\v]*set(?![\w$])/i;

/** The use of the session in one statement. */
export function useOf(given: StatementTokens): SessionUse | undefined {
  const statement = explained(given);
  const by = command(statement);
  const kind = kinds[by]?.(statement);
  if (kind !== undefined) return { kind, by: kind === "copying" ? "COPY TO STDOUT" : by };
  if (updatesSettings(statement)) return { kind: "setting", by: "UPDATE pg_settings" };
  if (makesTemporary(statement) && !dropsAtCommit(statement)) return { kind: "temporary", by: "A temporary object" };
  return onlyDefines(statement) ? undefined : useByCalls(statement);
}

const constant =
  (kind: SessionUseKind): (() => SessionUseKind) =>
  () =>
    kind;

/** By a statement's command. Source: PostgreSQL documentation, "SQL Commands". */
const kinds: Readonly<Record<string, (statement: StatementTokens) => SessionUseKind | undefined>> = {
  SET: ([, scope]) => (word(scope) === "LOCAL" || ofTransaction.has(word(scope)) ? undefined : "setting"),
  RESET: constant("setting"),
  PREPARE: constant("prepared"),
  EXECUTE: constant("prepared"),
  DEALLOCATE: constant("prepared"),
  DECLARE: (statement) => (has(statement, "CURSOR", "WITH", "HOLD") ? "cursor" : undefined),
  LOAD: constant("library"),
  DISCARD: constant("everything"),
  LISTEN: constant("listening"),
  UNLISTEN: constant("listening"),
  COPY: (statement) => {
    const end = copyEnd(statement);
    return end?.overTheWire && end.direction === "TO" ? "copying" : undefined;
  },
};

/** What SET changes of the transaction alone, without LOCAL: its modes, its constraints, and settings of it. */
export const ofTransaction: ReadonlySet<string> = new Set([
  ...["TRANSACTION", "CONSTRAINTS"],
  ...["TRANSACTION_ISOLATION", "TRANSACTION_READ_ONLY", "TRANSACTION_DEFERRABLE"],
]);

/** What EXPLAIN explains: with ANALYZE it is done. */
function explained(statement: StatementTokens): StatementTokens {
  if (word(statement[0]) !== "EXPLAIN") return statement;
  let at = statement[1]?.text === "(" ? statement.findIndex(({ text }) => text === ")") + 1 : 1;
  while (["ANALYZE", "ANALYSE", "VERBOSE"].includes(word(statement[at]))) at++;
  return statement.slice(at);
}

/** Whether a statement makes a temporary object, if only for its transaction. */
export function makesTemporary(statement: StatementTokens): boolean {
  if (word(statement[0]) === "CREATE") return isTemporary(statement, 1) || statement.some((_, at) => isInTemporary(statement, at));
  // INTO of an INSERT or MERGE names a table that is there
  return statement.some((token, at) => {
    if (word(token) !== "INTO" || word(statement[at - 1]) === "INSERT" || word(statement[at - 1]) === "MERGE") return false;
    return isTemporary(statement, at + 1) || isInTemporary(statement, at + (word(statement[at + 1]) === "TABLE" ? 2 : 1));
  });
}

function isTemporary(statement: StatementTokens, from: number): boolean {
  let at = from;
  while (["OR", "REPLACE", "GLOBAL", "LOCAL"].includes(word(statement[at]))) at++;
  return ["TEMP", "TEMPORARY"].includes(word(statement[at]));
}

const isInTemporary = (statement: StatementTokens, at: number): boolean =>
  nameOf(statement[at]) === "pg_temp" && statement[at + 1]?.text === ".";

function dropsAtCommit(statement: StatementTokens): boolean {
  return has(statement, "ON", "COMMIT", "DROP");
}

function has(statement: StatementTokens, ...words: readonly string[]): boolean {
  return statement.some((_, at) => words.every((one, offset) => word(statement[at + offset]) === one));
}

/** Whether what is named in a statement is not called by it: of what CREATE makes, only tables and materialized views are filled at once. */
function onlyDefines([first, second, third]: StatementTokens): boolean {
  if (word(first) !== "CREATE") return ["ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "SECURITY"].includes(word(first));
  return ![word(second), word(third)].some((what) => what === "TABLE" || what === "MATERIALIZED");
}

/** Whether a statement updates the view of the settings: a rule of its makes that set_config without `true`. */
export function updatesSettings(statement: StatementTokens): boolean {
  return statement.some((token, at) => {
    if (word(token) !== "UPDATE") return false;
    let name = at + 1;
    if (word(statement[name]) === "ONLY") name += statement[name + 1]?.text === "(" ? 2 : 1;
    // the database may stand before the schema
    if (statement[name + 1]?.text === "." && statement[name + 3]?.text === ".") name += 2;
    if (statement[name + 1]?.text === "." && nameOf(statement[name]) === "pg_catalog") name += 2;
    return nameOf(statement[name]) === "pg_settings";
  });
}

/** Advisory locks of the session; those of a transaction have `_xact_` in their names. */
const sessionLock = /^pg_(try_)?advisory_(lock|lock_shared|unlock|unlock_shared|unlock_all)$/;

function useByCalls(statement: StatementTokens): SessionUse | undefined {
  for (const [at, token] of statement.entries()) {
    if (statement[at + 1]?.text !== "(") continue;
    const by = nameOf(token);
    // a function of that name in another schema is another one
    if (statement[at - 1]?.text === "." && nameOf(statement[at - 2]) !== "pg_catalog") continue;
    if (sessionLock.test(by)) return { kind: "lock", by };
    if (by === "set_config" && thirdArgument(statement, at + 2) !== "TRUE") return { kind: "setting", by };
  }
  return undefined;
}

/** The third argument of a call whose arguments begin at `from`, where it is one word. */
function thirdArgument(statement: StatementTokens, from: number): string {
  let depth = 0;
  let commas = 0;
  for (let at = from; at < statement.length && depth >= 0; at++) {
    const { kind, text } = statement[at] as SqlToken;
    if (kind !== "sign") continue;
    if (text === "(" || text === "[") depth++;
    else if (text === ")" || text === "]") depth--;
    else if (text === "," && depth === 0 && ++commas === 2) return statement[at + 2]?.text === ")" ? word(statement[at + 1]) : "";
  }
  return "";
}
