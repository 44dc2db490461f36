import { ConnectionError, DatabaseError, type ServerReport, type WarmlineError } from "../errors/errors.ts";
import { fateOf, refusesText, saidByPostgres } from "../errors/fate.ts";
import { redactedCause } from "../errors/redact.ts";
import { mayCommitByItself } from "../syntax/self-committing.ts";
import type { HttpAnswer } from "./http-request.ts";
import type { ReadNetworkCode } from "./network-failure.ts";
import type { Statement } from "./transport.ts";

/** `fetch` itself failed. A runtime's own word that a request can be repeated is not believed: workerd gives it for requests that were read. */
export function fetchFailure(error: unknown, url: string, readCode: ReadNetworkCode | undefined): ConnectionError {
  const failure = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const where = new URL(url).host;
  return (
    readCode?.(failure, { where }) ??
    unclear(`The request to ${where} broke off.`, { code: "CONNECTION_LOST", cause: redactedCause(failure) })
  );
}

/** An answer that is not what the protocol says: cut off, no JSON, or without rows. */
export function badResponse(): ConnectionError {
  return unclear("The endpoint's answer was cut off, or is no SQL over HTTP.", { code: "BAD_RESPONSE" });
}

function unclear(message: string, details: { readonly code: string; readonly cause?: unknown }): ConnectionError {
  return new ConnectionError(message, { ...details, fate: "unknown" });
}

/** Statuses by which an endpoint, or what stands before it, says that it did nothing (507: of a batch), and what to check then. */
const refusals: Readonly<Record<number, string>> = {
  401: "the credentials",
  403: "the credentials",
  404: "the endpoint setting: nothing speaks SQL over HTTP there",
  413: "the size of the statement",
  429: "how many requests are sent",
  507: "the size of the result",
};

/** What the reader of a status knows. */
export interface StatusContext {
  readonly statements: readonly Statement[];
  readonly batch: boolean;
}

/** An answer whose status is no success, as the error it stands for. */
export async function statusFailure(response: HttpAnswer, { statements, batch }: StatusContext): Promise<WarmlineError> {
  const { status, type } = response;
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    await response.body?.cancel();
    return unclear("The endpoint redirects. Set endpoint to the final address.", { code: "REDIRECT_REFUSED" });
  }
  const report = await readReport(response);
  if (report !== undefined) {
    const error = new DatabaseError(report, {
      fate: fateOf({
        work: batch ? "commit" : "autocommit",
        phase: !batch && refusesText(report) ? "written" : "answered",
        status: undefined,
        completed: { count: 0, committed: false },
        selfCommitting: !batch && mayCommitByItself(statements[0]?.text ?? ""),
        answer: { code: report.code, fatal: isFatal(report), byServer: saidByPostgres(report) },
      }),
      values: statements.flatMap(({ values }) => values),
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

/** Postgres' own error in the body, if there is one. A SQLSTATE of letters alone looks like an operating system's code, but has a severity. */
async function readReport(response: HttpAnswer): Promise<ServerReport | undefined> {
  const body = (await response.json().catch(() => undefined)) as Partial<ServerReport> | undefined;
  const { code, message, severity } = body ?? {};
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  return /^[0-9A-Z]{5}$/.test(code) && (severity || /\d/.test(code)) ? (body as ServerReport) : undefined;
}
