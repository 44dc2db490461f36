import { ConnectionError, DatabaseError, isWarmlineError, type ServerReport, type WarmlineError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import { fateOfSqlState, isPermanentLoginFailure, isSqlState } from "../errors/sqlstate.ts";
import { type Exchange, isErrorResponse } from "./exchange.ts";
import type { ExchangePhase, Statement } from "./transport.ts";

/** What the reader of a lost or refused exchange knows. */
export interface ExchangeContext {
  readonly statements: readonly Statement[];
  readonly phase: ExchangePhase;
  /** Whether a pooler stands between. */
  readonly pooled: boolean;
  /** Statements put before the caller's own (BEGIN, SAVEPOINT). */
  readonly prelude: number;
}

/** A driver's error during an exchange, with the fate of its statements. */
export function exchangeFailure(failure: unknown, exchange: Pick<Exchange, "sent" | "completed">, context: ExchangeContext): WarmlineError {
  if (isErrorResponse(failure)) {
    const fate = fateOfSqlState(failure.code, { pooled: context.pooled, completed: exchange.completed > 0, severity: failure.severity });
    const index = exchange.completed - context.prelude;
    const own = context.statements.length - context.prelude;
    return new DatabaseError(failure as unknown as ServerReport, {
      fate: context.phase === "open" ? "refused" : fate,
      values: context.statements.flatMap((statement) => statement.values),
      ...(own > 1 && index >= 0 && index < own ? { statementIndex: index } : {}),
    });
  }
  const fate = exchange.sent ? (context.phase === "open" ? "refused" : "unknown") : "not-sent";
  const consequence = {
    "not-sent": "The statement was not sent.",
    refused: "The transaction had not been committed; nothing stays done.",
    unknown: "Whether the statement was done is not known.",
  }[fate];
  return new ConnectionError(`The connection was lost. ${consequence}`, {
    code: "CONNECTION_LOST",
    fate,
    retryable: fate !== "unknown",
    cause: redactedCause(failure),
  });
}

/**
 * Whether a foreign error's code says that a certificate was not accepted, which no second attempt changes.
 * Source: Node.js documentation, "X509 certificate error codes".
 */
export function isCertificateFailure(code: unknown): boolean {
  return typeof code === "string" && /CERT|SIGNATURE|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$/.test(code);
}

/** A driver's error before login ended: nothing was sent. */
export function connectFailure(failure: unknown, context: ConnectContext): WarmlineError {
  if (isWarmlineError(failure)) return failure;
  if (isErrorResponse(failure) && isSqlState(failure.code)) {
    const another = context.passwordIsFunction && failure.code.startsWith("28");
    return new DatabaseError(failure as unknown as ServerReport, {
      fate: "not-sent",
      retryable: another || !isPermanentLoginFailure(failure.code),
    });
  }
  const details = { fate: "not-sent", cause: redactedCause(failure, context.secrets) } as const;
  const code = failure instanceof Error && "code" in failure ? failure.code : undefined;
  if (isCertificateFailure(code)) {
    return new ConnectionError(
      `The certificate of ${context.where} was not accepted (${code}). Give its authority's certificate in the \`ca\` setting, and use the host name the certificate was made for.`,
      { ...details, code: "TLS_FAILED" },
    );
  }
  return new ConnectionError(
    `Connecting to ${context.where} failed${typeof code === "string" ? ` (${code})` : ""}. Check that the server runs, and host, port and network rules.`,
    { ...details, code: "CONNECT_FAILED", retryable: true },
  );
}

/** What the reader of a failed connect knows. */
export interface ConnectContext {
  /** `host:port`, for the message. */
  readonly where: string;
  readonly secrets: readonly string[];
  readonly passwordIsFunction: boolean;
}

/** The caller's password function failed; what it said may quote a secret, so only its kind is kept. */
export function passwordFailure(failure: unknown): ConnectionError {
  const kind = failure instanceof Error ? failure.name : typeof failure;
  return new ConnectionError(`The password function failed (${kind}). Check what it reads the password from.`, {
    code: "PASSWORD_FAILED",
    fate: "not-sent",
    retryable: true,
  });
}

/** Connecting took longer than `connectTimeoutMs`. */
export function connectTimeout(where: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(
    `Connecting to ${where} took longer than ${timeoutMs} ms (connectTimeoutMs). Check host, port and network rules, or allow more time.`,
    {
      code: "CONNECT_TIMEOUT",
      fate: "not-sent",
      retryable: true,
    },
  );
}
