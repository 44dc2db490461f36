import { look } from "../errors/look.ts";
import type { Statement } from "../transports/transport.ts";

/** Gives the comment for a text, empty for none. */
export type SqlCommenter = (text: string) => string;

/** A comment of which no part can be anything else. Source: SQLCommenter's specification, whose keys and values are as in a URL. */
const harmless = /^\/\*[\w%.~,='-]+\*\/$/;

/** The statement with the comment its caller's tracer has for it; without, where that is none, or something else. */
export function commented(statement: Statement, commenter: SqlCommenter | null): Statement {
  if (commenter === null) return statement;
  const comment = look(() => commenter(statement.text), "");
  return look(() => harmless.test(comment), false) ? { ...statement, comment } : statement;
}
