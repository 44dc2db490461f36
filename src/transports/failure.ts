import { ConnectionError, DatabaseError, isWarmlineError, type ServerReport, type WarmlineError } from "../errors/errors.ts";
import { kindOf, redactedCause } from "../errors/redact.ts";
import { fateOfSqlState, isPermanentLoginFailure } from "../errors/sqlstate.ts";
import { type Exchange, isErrorResponse } from "./exchange.ts";
import { type Peer, type ReadNetworkCode, unreachable } from "./network-failure.ts";
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
      statementIndex: own > 1 && index >= 0 && index < own ? index : undefined,
    });
  }
  const fate = exchange.sent ? (context.phase === "open" ? "refused" : "unknown") : "not-sent";
  return new ConnectionError("The connection was lost.", {
    code: "CONNECTION_LOST",
    fate,
    retryable: fate !== "unknown",
    cause: redactedCause(failure),
  });
}

/** A driver's error before login ended: nothing was sent. */
export function loginFailure(failure: unknown, context: ConnectContext, readCode: ReadNetworkCode | undefined): WarmlineError {
  if (isWarmlineError(failure)) return failure;
  if (isErrorResponse(failure)) {
    const another = context.passwordIsFunction && failure.code.startsWith("28");
    return new DatabaseError(failure as unknown as ServerReport, {
      fate: "not-sent",
      retryable: another || !isPermanentLoginFailure(failure.code),
    });
  }
  return readCode?.(failure, context) ?? unreachable(failure, context);
}

/** What the reader of a failed connect knows. */
export interface ConnectContext extends Peer {
  readonly passwordIsFunction: boolean;
}

/** The caller's password function failed; what it said may quote a secret, so only its kind is kept. */
export function passwordFailure(failure: unknown): ConnectionError {
  return new ConnectionError(`The password function failed (${kindOf(failure)}). Check where it reads from.`, {
    code: "PASSWORD_FAILED",
    fate: "not-sent",
    retryable: true,
  });
}

/** Connecting took longer than `connectTimeoutMs`. */
export function connectTimeout(where: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(`Connecting to ${where} took over ${timeoutMs} ms (connectTimeoutMs). Check host, port and network rules.`, {
    code: "CONNECT_TIMEOUT",
    fate: "not-sent",
    retryable: true,
  });
}
