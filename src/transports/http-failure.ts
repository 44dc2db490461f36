import { ConnectionError, DatabaseError, type Fate, type ServerReport, type WarmlineError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import { fateOfSqlState } from "../errors/sqlstate.ts";
import { isCertificateFailure, unreachable } from "./failure.ts";
import type { Statement } from "./transport.ts";

/**
 * Codes that say the request never left: names, routes, connecting, and a peer that speaks no TLS.
 * Sources: Node.js documentation, "Common system errors"; undici, "Errors"; OpenSSL; Bun.
 */
const neverLeft =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_SSL_WRONG_VERSION_NUMBER|ConnectionRefused)$/;

/** `fetch` itself failed. A runtime's own word that a request can be repeated is not believed: workerd gives it for requests that were read. */
export function fetchFailure(error: unknown, url: string): ConnectionError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const where = new URL(url).host;
  if (neverLeft.test(String(code)) || isCertificateFailure(code)) return unreachable(where, code, redactedCause(cause));
  return new ConnectionError(`The request to ${where} broke off.`, {
    code: "CONNECTION_LOST",
    fate: "unknown",
    cause: redactedCause(cause),
  });
}

/** An answer that is not what the protocol says: cut off, no JSON, or without rows. */
export function badResponse(): ConnectionError {
  return new ConnectionError("The endpoint's answer was cut off, or is no SQL-over-HTTP answer.", {
    code: "BAD_RESPONSE",
    fate: "unknown",
  });
}

/** Statuses by which an endpoint, or what stands before it, says that it did nothing. */
const refusedStatuses: ReadonlySet<number> = new Set([401, 403, 404, 413, 429]);

const statusHints: Readonly<Record<number, string>> = {
  400: " Check user, password and database.",
  401: " Check the credentials.",
  403: " Check the credentials.",
  404: " Nothing speaks SQL over HTTP there: check the endpoint setting.",
  413: " Send less at once.",
  429: " Send fewer requests.",
  507: " Ask for less at once.",
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
    return new ConnectionError("The endpoint answered with a redirect, which is not followed. Set endpoint to the final address.", {
      code: "REDIRECT_REFUSED",
      fate: "unknown",
    });
  }
  const report = await readReport(response);
  if (report !== undefined) {
    return new DatabaseError(report, {
      fate: fateOfSqlState(report.code, { pooled: true, completed: true, severity: report.severity ?? undefined }),
      values: context.statements.flatMap((statement) => statement.values),
    });
  }
  const fate: Fate = refusedStatuses.has(status) || (status === 507 && context.batch) ? "refused" : "unknown";
  return new ConnectionError(`The endpoint answered with status ${status}.${statusHints[status] ?? ""}`, {
    code: "HTTP_STATUS",
    fate,
    retryable: status === 429,
  });
}

/** Postgres' own error in the body, if there is one. A SQLSTATE of letters alone looks like an operating system's code, but has a severity. */
async function readReport(response: Response): Promise<ServerReport | undefined> {
  try {
    const body = (await response.json()) as ServerReport;
    const { code, message, severity } = body;
    const told = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && (severity || /\d/.test(code));
    return told && typeof message === "string" ? body : undefined;
  } catch {
    return undefined;
  }
}
