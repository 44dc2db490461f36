import { ConnectionError, DatabaseError, type Fate, type ServerReport, type WarmlineError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import { fateOfSqlState, isSqlState } from "../errors/sqlstate.ts";
import { isCertificateFailure } from "./failure.ts";
import type { Statement } from "./transport.ts";

/** Codes that say the request never left: names, routes, connecting, TLS. Sources: Node.js documentation, "Common system errors"; undici, "Errors". */
const notSentCodes: ReadonlySet<unknown> = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  // OpenSSL's: what answers speaks no TLS, so the handshake never ended
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ConnectionRefused",
]);

/** `fetch` itself failed. A runtime's own word that a request can be repeated is not believed: workerd gives it for requests that were read. */
export function fetchFailure(error: unknown, url: string): ConnectionError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const where = new URL(url).host;
  if (isCertificateFailure(code)) {
    return new ConnectionError(
      `The certificate of ${where} was not accepted (${code}). Let the runtime trust its authority, or use the name it was made for.`,
      {
        code: "TLS_FAILED",
        fate: "not-sent",
        cause: redactedCause(cause),
      },
    );
  }
  const told = typeof code === "string" ? ` (${code})` : "";
  if (notSentCodes.has(code)) {
    return new ConnectionError(`Connecting to ${where} failed${told}. Check the endpoint setting, and that the endpoint runs.`, {
      code: "CONNECT_FAILED",
      fate: "not-sent",
      retryable: true,
      cause: redactedCause(cause),
    });
  }
  return new ConnectionError(`The request to ${where} broke off${told}. Whether the statement was done is not known.`, {
    code: "CONNECTION_LOST",
    fate: "unknown",
    cause: redactedCause(cause),
  });
}

/** An answer that is not what the protocol says: cut off, no JSON, or without rows. */
export function badResponse(): ConnectionError {
  return new ConnectionError(
    "The endpoint's answer could not be read: it was cut off, or is no SQL-over-HTTP answer. Whether the statement was done is not known.",
    {
      code: "BAD_RESPONSE",
      fate: "unknown",
    },
  );
}

/** Statuses by which an endpoint, or what stands before it, says that it did nothing. */
const refusedStatuses: ReadonlySet<number> = new Set([401, 403, 404, 413, 429]);

const statusHints: Readonly<Record<number, string>> = {
  400: "User, password, database or the request itself was not accepted.",
  401: "Check the credentials.",
  403: "Check the credentials and what they may do.",
  404: "Check the endpoint setting: nothing speaks SQL over HTTP there.",
  413: "Send less in one statement or batch.",
  429: "Send fewer requests, or raise the limit at the endpoint.",
  507: "Ask for fewer rows or columns at once.",
};

/** What the reader of a status knows. */
export interface StatusContext {
  readonly statements: readonly Statement[];
  readonly batch: boolean;
}

/** An answer whose status is no success, as the error it stands for. */
export async function statusFailure(response: Response, context: StatusContext): Promise<WarmlineError> {
  const { status, type } = response;
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    await response.body?.cancel();
    return new ConnectionError(
      "The endpoint answered with a redirect, which would carry the credentials elsewhere. Set `endpoint` to the final address.",
      {
        code: "REDIRECT_REFUSED",
        fate: "unknown",
      },
    );
  }
  const report = await readReport(response);
  if (report !== undefined) {
    return new DatabaseError(report, {
      fate: fateOfSqlState(report.code, { pooled: true, completed: true, severity: report.severity ?? undefined }),
      values: context.statements.flatMap((statement) => statement.values),
    });
  }
  const fate: Fate = refusedStatuses.has(status) || (status === 507 && context.batch) ? "refused" : "unknown";
  const hint = statusHints[status] ?? "";
  return new ConnectionError(
    `The endpoint answered with status ${status}. ${hint}${fate === "unknown" ? " Whether the statement was done is not known." : ""}`
      .replaceAll("  ", " ")
      .trim(),
    {
      code: "HTTP_STATUS",
      fate,
      retryable: status === 429,
    },
  );
}

/** A function may raise a SQLSTATE of letters alone, which looks like an operating system's code; only an ErrorResponse has a severity too. */
function isReported({ code, severity }: Partial<ServerReport>): boolean {
  return isSqlState(code) || (typeof severity === "string" && typeof code === "string" && /^[0-9A-Z]{5}$/.test(code));
}

/** Postgres' own error in the body, if there is one: told by its SQLSTATE. */
async function readReport(response: Response): Promise<ServerReport | undefined> {
  try {
    const body = JSON.parse(await response.text()) as Partial<ServerReport> | null;
    return typeof body?.message === "string" && isReported(body) ? (body as ServerReport) : undefined;
  } catch {
    return undefined;
  }
}
