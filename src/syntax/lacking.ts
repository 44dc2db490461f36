import { makesTemporary } from "./session-use.ts";
import { command, nameOf, type StatementTokens, statements, word } from "./statements.ts";

/** What of Postgres' own SQL a statement asks for that some targets have not, by the names that `db.plan.capabilities.lacks` has for it. */
export type Asked = "savepoints" | "isolation levels" | "advisory locks" | "temporary tables" | "notifications";

/** What a text asks for beyond what every target has; what a function does inside cannot be seen. */
export function askedFor(text: string): readonly Asked[] {
  return mayAsk.test(text) ? statements(text).flatMap(askedBy) : [];
}

/** A text without any of these is not read. */
const mayAsk = /savepoint|rollback|release|isolation|deferrable|advisory|temp|listen|notify/i;

const commands: Readonly<Record<string, Asked>> = {
  SAVEPOINT: "savepoints",
  RELEASE: "savepoints",
  "ROLLBACK TO": "savepoints",
  LISTEN: "notifications",
  UNLISTEN: "notifications",
  NOTIFY: "notifications",
};

/** What begins a transaction, or says how it runs. */
const beginnings = new Set(["BEGIN", "START", "SET"]);

function askedBy(statement: StatementTokens): Asked[] {
  const by = command(statement);
  const asked: (Asked | false | undefined)[] = [
    commands[by],
    isAbortTo(statement) && "savepoints",
    beginnings.has(by) && choosesIsolation(statement) && "isolation levels",
    makesTemporary(statement) && "temporary tables",
    ...statement.map((token, at) => statement[at + 1]?.text === "(" && askedByCall(nameOf(token))),
  ];
  return asked.filter((one) => one !== undefined && one !== false);
}

/** `ROLLBACK WORK TO`, `ROLLBACK TRANSACTION TO`. */
function isAbortTo(statement: StatementTokens): boolean {
  return word(statement[0]) === "ROLLBACK" && word(statement[2]) === "TO";
}

/** Whether it names another level than repeatable read, or is deferrable, which is of serializable alone. */
function choosesIsolation(statement: StatementTokens): boolean {
  return statement.some((token, at) => {
    const [before, next, second] = [word(statement[at - 1]), word(statement[at + 1]), word(statement[at + 2])];
    if (word(token) === "LEVEL" && before === "ISOLATION") return next !== "REPEATABLE" || second !== "READ";
    return word(token) === "DEFERRABLE" && before !== "NOT";
  });
}

function askedByCall(name: string): Asked | undefined {
  if (name === "pg_notify") return "notifications";
  return /^pg_(try_)?advisory_/.test(name) ? "advisory locks" : undefined;
}
