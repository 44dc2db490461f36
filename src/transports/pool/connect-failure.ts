import type { WarmlineError } from "../../errors/errors.ts";
import { isErrorResponse } from "../../wire/error-response.ts";
import { type ConnectContext, loginFailure } from "../failure.ts";
import { readNetworkCode } from "../network-failure.ts";

/**
 * What PgBouncer says when it has no room, or no server: with 08P01, as it says everything at login, what would be refused again too.
 * Source: what version 1.18 answers; the last, PgBouncer's documentation, `server_login_retry`.
 */
const poolerBusy = /^(query_wait_timeout|no more connections allowed|server login has been failing)/;

/** An error of pg's before login ended: nothing was sent. */
export function connectFailure(failure: unknown, context: ConnectContext): WarmlineError {
  const error = loginFailure(failure, context, readNetworkCode);
  return isErrorResponse(failure) && poolerBusy.test(failure.message) ? Object.assign(error, { retryable: true }) : error;
}
