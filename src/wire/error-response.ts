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

/** A server's NoticeResponse. */
export interface NoticeResponse extends ErrorResponse {
  /** The severity in English, whatever the server's language; since Postgres 9.6. */
  readonly severityName?: string;
}

/** By the byte that stands before a field, in the order in which pg names them. Source: PostgreSQL documentation, "Error and Notice Message Fields". */
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

const noticeFields: Readonly<Record<string, keyof NoticeResponse>> = { ...errorFields, V: "severityName" };

/** Reads a whole ErrorResponse, from its first byte to its end. */
export function readErrorResponse(bytes: MessageBytes, start: number, end: number): ErrorResponse {
  return readFields(bytes, { start, end, fields: errorFields }) as ErrorResponse;
}

/** The same of a NoticeResponse, of which nothing is believed to be there. */
export function readNotice(bytes: MessageBytes, start: number, end: number): NoticeResponse {
  return { severity: "", code: "", message: "", ...readFields(bytes, { start, end, fields: noticeFields }) };
}

function readFields(
  bytes: MessageBytes,
  { start, end, fields }: { readonly start: number; readonly end: number; readonly fields: typeof noticeFields },
): Partial<NoticeResponse> {
  const report: Partial<Record<keyof NoticeResponse, string | number>> = { length: end - start - 1 };
  let at = start + HEADER_BYTES;
  while (bytes[at] !== 0) {
    const next = afterText(bytes, at + 1, end);
    const name = fields[String.fromCharCode(bytes[at] as number)];
    if (name !== undefined) report[name] = bytes.toString("utf8", at + 1, next - 1);
    at = next;
  }
  return report as Partial<NoticeResponse>;
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
