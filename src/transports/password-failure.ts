import { ConnectionError } from "../errors/errors.ts";
import { kindOf } from "../errors/redact.ts";

/** The caller's password function failed; what it said may quote a secret, so only its kind is kept. */
export function passwordFailure(failure: unknown): ConnectionError {
  return new ConnectionError(`The password function failed (${kindOf(failure)}). Check where it reads from.`, {
    code: "PASSWORD_FAILED",
    fate: "not-sent",
    retryable: true,
  });
}

/** A password function, the caller's or IAM's, was asked, and connecting would have to be over by now. */
export function passwordTimeout(timeoutMs: number): ConnectionError {
  return new ConnectionError(`The password took over ${timeoutMs} ms (connectTimeoutMs). Check where its function reads from.`, {
    code: "PASSWORD_FAILED",
    fate: "not-sent",
    retryable: true,
  });
}
