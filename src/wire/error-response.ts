import { afterText, HEADER_BYTES } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";

/** A server's ErrorResponse, its fields named as in pg. Its severity is in the server's language. */
export interface ErrorResponse {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: string;
  readonly internalPosition?: string;
  readonly internalQuery?: string;
  readonly where?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly dataType?: string;
  readonly constraint?: string;
  readonly file?: string;
  readonly line?: string;
  readonly routine?: string;
  /** Bytes of the message, as pg counts them. */
  readonly length?: number;
}

/** By the byte that stands before a field. Source: PostgreSQL documentation, "Error and Notice Message Fields". */
export const errorFields: Readonly<Record<string, keyof Omit<ErrorResponse, "length">>> = {
  S: "severity",
  C: "code",
  M: "message",
  D: "detail",
  H: "hint",
  P: "position",
  p: "internalPosition",
  q: "internalQuery",
  W: "where",
  s: "schema",
  t: "table",
  c: "column",
  d: "dataType",
  n: "constraint",
  F: "file",
  L: "line",
  R: "routine",
};

/** Reads a whole ErrorResponse, from its first byte to its end. */
export function readErrorResponse(bytes: MessageBytes, start: number, end: number): ErrorResponse {
  const report: Partial<Record<keyof ErrorResponse, string | number>> = { length: end - start - 1 };
  let at = start + HEADER_BYTES;
  while (bytes[at] !== 0) {
    const next = afterText(bytes, at + 1, end);
    const name = errorFields[String.fromCharCode(bytes[at] as number)];
    if (name !== undefined) report[name] = bytes.toString("utf8", at + 1, next - 1);
    at = next;
  }
  return report as unknown as ErrorResponse;
}

/** As an error, as a driver makes one of it. */
export function errorOf(report: ErrorResponse): Error & ErrorResponse {
  return Object.assign(new Error(report.message), report);
}

/** Whether a driver's error is the server's ErrorResponse: only these carry a severity. */
export function isErrorResponse(failure: unknown): failure is Error & ErrorResponse {
  const { severity, code } = (failure ?? {}) as { readonly severity?: unknown; readonly code?: unknown };
  return failure instanceof Error && typeof severity === "string" && typeof code === "string";
}
