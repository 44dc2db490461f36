/** A part of a request that is wrong. It names the place, never the value found there. */
export interface FieldProblem {
  readonly in: "body" | "query" | "path" | "header";
  /** Dotted path within it, `lines.0.quantity`; empty for the whole of it. */
  readonly field: string;
  readonly message: string;
}

/** The status codes a {@link Problem} answers with. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 500 | 503;

/** The body of every answer that is not a success. */
export interface ProblemBody {
  readonly error: { readonly code: string; readonly message: string; readonly fields?: readonly FieldProblem[] | undefined };
}

/** An answer other than success, thrown by the code that finds the reason and written by the application. Its message is shown to the caller. */
export class Problem extends Error {
  readonly status: ProblemStatus;
  readonly body: ProblemBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ProblemStatus, code: string, message: string, extra: ProblemExtra = {}) {
    super(message, extra);
    this.name = "Problem";
    this.status = status;
    this.body = { error: { code, message, fields: extra.fields } };
    this.headers = extra.headers ?? {};
  }
}

/** What a {@link Problem} carries beyond its code and message. */
export interface ProblemExtra {
  readonly fields?: readonly FieldProblem[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The error behind it, for the log; the caller never sees it. */
  readonly cause?: unknown;
}
