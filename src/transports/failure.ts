import { DatabaseError, type ServerReport, serverFieldNames } from "../errors/database-error.ts";
import { ConnectionError, type Fate, isWarmlineError, type WarmlineError } from "../errors/errors.ts";
import { type Answer, type Evidence, fateFromEvidence, saidByPostgres } from "../errors/fate.ts";
import { redactedCause } from "../errors/redact.ts";
import { serverError } from "../errors/server-error.ts";
import { isPermanentLoginFailure } from "../errors/sqlstate.ts";
import { isOneSelfCommitting, mayCommitByItself } from "../syntax/self-committing.ts";
import { type ErrorResponse, isErrorResponse } from "../wire/error-response.ts";
import type { ExchangeFailure } from "../wire/exchange.ts";
import type { ExchangeEvidence } from "./evidence.ts";
import { loginHint } from "./login-hint.ts";
import { type Peer, type ReadNetworkCode, unreachable } from "./network-failure.ts";

/** The code of an answer that does not fit what was sent. */
const OUT_OF_STEP = "OUT_OF_STEP";

/** What the reader of a failed exchange knows besides its failure. */
export interface ExchangeContext extends Omit<ExchangeEvidence, "isUnbegun">, Pick<Evidence, "status"> {
  /** Whether a pooler stands between. */
  readonly pooled: boolean;
  /** What the server said while nothing was on its way, before it ended the connection. */
  readonly farewell: ErrorResponse | undefined;
}

/** What an exchange failed with, as the error its caller is told, with the fate of its statements. */
export function exchangeFailure(failure: ExchangeFailure, context: ExchangeContext): WarmlineError {
  const { statements, prelude, answers, work } = context;
  const answer = answerOf(failure, context);
  const fate = fateFromEvidence({
    ...context,
    completed: { count: answers.length, committed: answers.some(({ command }) => command === "COMMIT" || command === "PREPARE") },
    selfCommitting: failure.kind === "refused" && selfCommits(context),
    answer,
  });
  switch (failure.kind) {
    case "unread":
      return failure.error;
    case "out-of-step":
      return lostStep(fate);
    case "lost":
      return new ConnectionError("The connection was lost.", {
        code: "CONNECTION_LOST",
        fate,
        retryable: fate !== "unknown",
        cause: redactedCause(context.farewell ?? failure.failure),
      });
    case "refused": {
      const index = answers.length - prelude;
      const own = statements.length - prelude - (work === "commit" ? 1 : 0);
      const isOwn = index >= 0 && index < own;
      return serverError(reportOf(failure), {
        fate,
        sent: {
          statements: context.script === undefined ? statements : [{ text: context.script, values: [] }],
          translated: failure.report.severity !== severityOf(failure),
        },
        statementIndex: own > 1 && isOwn ? index : undefined,
        statement: context.script ?? (isOwn ? statements[answers.length]?.text : undefined),
      });
    }
  }
}

/** The server's answers do not fit what was sent: nobody knows what was done, and nothing more is sent. */
export function lostStep(fate: Fate): ConnectionError {
  return new ConnectionError("The server's answers do not fit what was sent, or a statement ended the transaction. Check its text.", {
    code: OUT_OF_STEP,
    fate,
    retryable: fate === "not-sent",
  });
}

type RefusedExchange = Extract<ExchangeFailure, { readonly kind: "refused" }>;

function answerOf(failure: ExchangeFailure, { pooled }: ExchangeContext): Answer {
  if (failure.kind !== "refused") return failure.kind;
  const { report } = failure;
  const fatal = severityOf(failure) !== "ERROR";
  return { code: report.code, fatal, byServer: !pooled || (!fatal && saidByPostgres(report)) };
}

/** The severity in English, whatever the server's language: told by what became of the connection. */
function severityOf({ report: { severity }, ready }: RefusedExchange): string {
  return /^(ERROR|FATAL|PANIC)$/.test(severity) ? severity : ready ? "ERROR" : "FATAL";
}

function reportOf(failure: RefusedExchange): ServerReport {
  const report = failure.report as unknown as ServerReport;
  // by their names: in Bun an error's line and column are not enumerable, and lost by a copy
  const fields = Object.fromEntries(serverFieldNames.map((name) => [name, report[name]]));
  return { ...fields, message: report.message, code: report.code, severity: severityOf(failure) };
}

/** A driver's error before login ended: nothing was sent. */
export function loginFailure(failure: unknown, context: ConnectContext, readCode: ReadNetworkCode | undefined): WarmlineError {
  if (isWarmlineError(failure)) return failure;
  if (isErrorResponse(failure)) {
    const another = context.passwordIsFunction && failure.code.startsWith("28");
    const hint = loginHint(failure);
    const report = hint === undefined ? failure : Object.create(failure, { message: { value: `${failure.message}. ${hint}` } });
    return new DatabaseError(report as ServerReport, {
      fate: "not-sent",
      retryable: another || !(hint !== undefined || isPermanentLoginFailure(failure.code)),
    });
  }
  return readCode?.(failure, context) ?? unreachable(failure, context);
}

/** What the reader of a failed connect knows. */
export interface ConnectContext extends Peer {
  readonly passwordIsFunction: boolean;
}

/** Whether the command that failed can commit by itself; of a script that is its first. */
function selfCommits({ script, statements, prelude }: ExchangeContext): boolean {
  return script === undefined ? mayCommitByItself(statements[prelude]?.text ?? "") : isOneSelfCommitting(script);
}

/** Connecting took longer than `connectTimeoutMs`. */
export function connectTimeout(where: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(`Connecting to ${where} took over ${timeoutMs} ms (connectTimeoutMs). Check host, port and network rules.`, {
    code: "CONNECT_TIMEOUT",
    fate: "not-sent",
    retryable: true,
  });
}
