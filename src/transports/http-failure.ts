import type { ServerReport } from "../errors/database-error.ts";
import { ConnectionError, type WarmlineError } from "../errors/errors.ts";
import { fateFromEvidence, refusesText, saidByPostgres } from "../errors/fate.ts";
import { serverError } from "../errors/server-error.ts";
import { mayCommitByItself } from "../syntax/self-committing.ts";
import { unclear } from "./http-broken.ts";
import { type AnswerBody, loginFailure, refusedLogin } from "./http-login.ts";
import type { HttpAnswer } from "./http-request.ts";
import type { Statement } from "./transport.ts";

/** Statuses by which an endpoint, or what stands before it, says that it did nothing (507: of a batch), and what to check then. */
const refusals: Readonly<Record<number, string>> = {
  401: "the credentials",
  402: "the plan: what it allows is used up",
  403: "the credentials",
  404: "the endpoint setting: nothing speaks SQL over HTTP there",
  413: "the size of the statement",
  429: "how many requests are sent",
  431: "the length of the password, and of what is sent at login",
  507: "the size of the result",
};

/** What the reader of a status knows. */
export interface StatusContext {
  readonly statements: readonly Statement[];
  readonly batch: boolean;
  readonly passwordIsFunction: boolean;
}

/** What tells an answer's failure: at once, or once it is loaded. */
export type StatusReader = () => typeof statusFailure | Promise<typeof statusFailure>;

/** An answer whose status is no success, as the error it stands for. */
export async function statusFailure(response: HttpAnswer, context: StatusContext): Promise<WarmlineError> {
  const { status, type } = response;
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    response.discard();
    return unclear("The endpoint redirects. Set endpoint to the final address.", { code: "REDIRECT_REFUSED" });
  }
  const body = await readBody(response);
  const login = refusedLogin(status, body);
  if (login !== undefined) return loginFailure(login, context);
  const { statements, batch } = context;
  const report = readReport(body);
  if (report !== undefined) {
    const error = serverError(report, {
      fate: fateFromEvidence({
        work: batch ? "commit" : "autocommit",
        phase: !batch && refusesText(report) ? "written" : "answered",
        status: undefined,
        completed: { count: 0, committed: false },
        selfCommitting: !batch && mayCommitByItself(statements[0]?.text ?? ""),
        answer: { code: report.code, fatal: isFatal(report), byServer: saidByPostgres(report) },
      }),
      sent: { statements },
      // of a batch it is not told which
      statement: statements.length === 1 ? statements[0]?.text : undefined,
    });
    // 400 is how every refusal of Postgres comes
    return status === 400 ? error : Object.assign(error, { status });
  }
  const hint = status === 400 ? "user, password and database" : refusals[status];
  const error = new ConnectionError(`The endpoint answered with status ${status}.${hint ? ` Check ${hint}.` : ""}`, {
    code: "HTTP_STATUS",
    fate: status in refusals && (status !== 507 || batch) ? "refused" : "unknown",
    retryable: status === 429,
  });
  return Object.assign(error, { status });
}

/** Conditions that end a session. Source: PostgreSQL documentation, error codes; what it raises as FATAL outside of a login. */
const endsSession = /^(08|25P0[34]|53|57P|58|XX)/;

/** Whether the server ended the session with it. The severity may be in the server's language; then the condition tells. */
function isFatal({ severity, code }: ServerReport): boolean {
  return /^(ERROR|FATAL|PANIC)$/.test(severity ?? "") ? severity !== "ERROR" : endsSession.test(code);
}

async function readBody(response: HttpAnswer): Promise<AnswerBody> {
  try {
    const body: unknown = JSON.parse(await response.text());
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    // no JSON, or more of it than may be read: the status has to say it
    return {};
  }
}

/** Postgres' own error in the body, if there is one. A SQLSTATE of letters alone looks like an operating system's code, but has a severity. */
function readReport(body: AnswerBody): ServerReport | undefined {
  const { code, message, severity } = body;
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  return /^[0-9A-Z]{5}$/.test(code) && (severity || /\d/.test(code)) ? (body as ServerReport) : undefined;
}
