import type { WarmlineError } from "../errors/errors.ts";
import { endsConnection, TOO_MANY_LOGINS } from "../errors/sqlstate.ts";

/** Failures of the way to the server. */
const wayFailed = /^(CONNECT_FAILED|OTHER_SERVER|CONNECT_TIMEOUT|CONNECTION_LOST|BAD_RESPONSE)$/;

/**
 * What a server, a pooler or Hyperdrive (58000) says when it has no room or is not up: no slot (53300), shutting down, crashed or starting
 * (57P01–57P03). A function may raise the same of its own; then it is an ERROR, and the connection goes on.
 */
const serverDown = /^(08...|53300|57P0[1-3]|58000)$/;

/** What else says that no answer can be had now: too much waits already, or the time is over. */
const noRoom = /^(CIRCUIT_OPEN|QUEUE_FULL|ACQUIRE_TIMEOUT|DEADLINE_EXCEEDED|ATTEMPT_TIMEOUT)$/;

/** Whether an attempt failed for the server or the way to it, never for what was asked. */
export function isOutage(error: WarmlineError): boolean {
  const { code, fate, status = 0, severity } = error as WarmlineError & { readonly status?: number; readonly severity?: string };
  // 507: the result is too large
  if (wayFailed.test(code) || status === 429 || (status >= 500 && status !== 507)) return true;
  return serverDown.test(code) && (fate === "not-sent" ? error.retryable : endsConnection(severity));
}

/** Whether the database cannot answer now, for whatever reason but the call itself. */
export function isUnavailable(error: WarmlineError): boolean {
  return isOutage(error) || noRoom.test(error.code) || (error.code === TOO_MANY_LOGINS && error.fate === "not-sent");
}
