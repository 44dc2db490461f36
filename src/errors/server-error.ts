import { pointAt } from "./caller.ts";
import { DatabaseError, type ServerReport, type ServerReportContext } from "./database-error.ts";
import { excerptAt, withoutStrings } from "./excerpt.ts";
import { redactMessage, type SentWork } from "./redact-message.ts";
import { uncommented } from "./uncommented.ts";
import { valueHint } from "./value-hint.ts";

/** The same of a statement's error: in the place of its message, what that is made with. */
interface SentContext extends Omit<ServerReportContext, "message"> {
  /** What the message is held against, to find what it has of values. */
  readonly sent: SentWork;
}

/** The server's error of a statement: without values, with a hint where one was sent as what it cannot be, and with the line it points at. */
export function serverError(said: ServerReport, { sent, ...context }: SentContext): DatabaseError {
  const report = uncommented(said, sent.statements, context.statement);
  const meant = sent.statements.filter(({ text }) => text === (context.statement ?? text));
  const message = redactMessage(report, sent) + valueHint(report, meant);
  const statement = context.statement && withoutStrings(context.statement);
  const error = new DatabaseError(report, { ...context, message, statement });
  if (statement && error.position) pointAt(error, excerptAt(statement, Number(error.position)));
  return error;
}
