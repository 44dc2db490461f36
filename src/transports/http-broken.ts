import { ConnectionError, UsageError } from "../errors/errors.ts";
import { look } from "../errors/look.ts";
import { kindOf, redactedCause } from "../errors/redact.ts";

/**
 * A post failed, and nothing tells that it was not sent. A runtime's own word that a request can be repeated is not believed: workerd gives it
 * for requests that were read.
 */
export function postFailure(error: unknown, url: string): ConnectionError {
  const cause = redactedCause(causeOf(error));
  return unclear(`The request to ${new URL(url).host} broke off.`, { code: "CONNECTION_LOST", cause });
}

/** What made `fetch` fail: its own error says no more than that. */
export function causeOf(error: unknown): unknown {
  return look(() => (error instanceof Error && error.cause instanceof Error ? error.cause : error), undefined);
}

/** The request could not be put together, so nothing of it left: a parameter is longer than a string may be when it is written as JSON. */
export function requestUnmade(failure: unknown): UsageError {
  return new UsageError(`The request could not be written (${kindOf(failure)}): the parameters are too long for one. Send them in parts.`, {
    code: "UNSUPPORTED_VALUE",
  });
}

/** An answer that is not what the protocol says: cut off, no JSON, or without rows. */
export function badResponse(): ConnectionError {
  return unclear("The endpoint's answer was cut off, or is no SQL over HTTP.", { code: "BAD_RESPONSE" });
}

/** The answer is longer than may be read, and was not read on: it was begun, so the statement was given to the server. */
export function responseTooLarge(maxBytes: number): ConnectionError {
  return unclear(
    `The answer is larger than ${maxBytes} bytes (maxResponseBytes). Ask for fewer rows or columns at once, raise maxResponseBytes, or connect over TCP.`,
    { code: "RESPONSE_TOO_LARGE" },
  );
}

/** What an endpoint did may have been done. */
export function unclear(message: string, details: { readonly code: string; readonly cause?: unknown }): ConnectionError {
  return new ConnectionError(message, { ...details, fate: "unknown" });
}
