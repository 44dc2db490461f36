import pg from "pg";
import { showCaller } from "../../errors/caller.ts";
import { isWarmlineError, type WarmlineError } from "../../errors/errors.ts";
import type { Answer } from "../../wire/answer.ts";
import type { Columns } from "../../wire/columns.ts";
import { type ErrorResponse, errorFields } from "../../wire/error-response.ts";
import type { ExchangeFailure } from "../../wire/exchange.ts";
import type { ForeignForm } from "../sending.ts";
import type { ParserSet } from "../transport.ts";
import { asPg, withFateOf } from "./pg-failure.ts";

/** pg's result, with what its types do not show. */
interface PgResult extends Answer {
  _parsers: unknown;
  _prebuiltEmptyResultObject: unknown;
  addCommandComplete(message: { readonly text: string }): void;
}

/** What pg exports, and does not type. */
const { Result } = pg as unknown as { readonly Result: new (rowMode: "array" | undefined, types: ParserSet) => PgResult };

/** One query as pg tells it: its results, its parsers, which are asked for at every query, and its errors, which gain a fate. */
export class PgForm implements ForeignForm, ParserSet {
  readonly #rowMode: "array" | undefined;
  readonly #own: ParserSet | undefined;
  #types: ParserSet = pg.types;
  #failure: ExchangeFailure | undefined;
  #thrown: unknown;

  /** `own` are the parsers of the query, where it has any; else its client's are used. */
  constructor(rowMode: "object" | "array", own: ParserSet | undefined) {
    this.#rowMode = rowMode === "array" ? rowMode : undefined;
    this.#own = own;
  }

  getTypeParser(typeId: number, format: "text" | "binary"): (text: string) => unknown {
    return this.#types.getTypeParser(typeId, format);
  }

  sentOn(client: object): void {
    this.#types = this.#own ?? (client as { readonly _types: ParserSet })._types;
    this.#failure = undefined;
  }

  empty(): Answer {
    return new Result(this.#rowMode, this.#types);
  }

  describe(answer: Answer, { fields, parsers, emptyRow }: Columns): void {
    const result = answer as PgResult;
    // whoever has a result may change it
    result.fields = fields.map((field) => ({ ...field }));
    if (fields.length > 0) result._parsers = parsers;
    result._prebuiltEmptyResultObject = emptyRow;
  }

  complete(answer: Answer, tag: string): void {
    (answer as PgResult).addCommandComplete({ text: tag });
  }

  unreadable(thrown: unknown): void {
    this.#thrown = thrown;
  }

  failed(failure: ExchangeFailure): void {
    this.#failure = failure;
  }

  /** What pg would reject with, and its fate. */
  errorOf(error: unknown): unknown {
    if (!isWarmlineError(error)) return error;
    const failure = this.#failure;
    switch (failure?.kind) {
      case "refused":
        if (error.code === failure.report.code) return databaseError(failure.report, error);
        break;
      case "lost":
        if (error.code === "CONNECTION_LOST" && failure.failure instanceof Error) return lostError(failure.failure, error);
        break;
      case "unread":
        return this.#thrown === undefined ? told(error) : withFateOf(this.#thrown, error.fate, error.retryable);
    }
    return told(error);
  }
}

function databaseError(report: ErrorResponse, { fate, retryable }: WarmlineError): Error {
  const error: object = new pg.DatabaseError(report.message, report.length ?? 0, "error");
  // in pg's order
  for (const name of Object.values(errorFields)) Object.assign(error, { [name]: report[name] });
  return Object.assign(error as Error, { fate, retryable });
}

/** The loss of a connection as the driver tells it: every call that it ends has a fate of its own. */
function lostError(failure: Error, { code, fate, retryable }: WarmlineError): Error {
  const error = new Error(failure.message, { cause: failure });
  const source = failure as Error & Record<string, unknown>;
  for (const name of ["code", "errno", "syscall"]) if (name in source) Object.assign(error, { [name]: source[name] });
  return Object.assign(error, "code" in error ? {} : { code }, { fate, retryable });
}

function told(error: WarmlineError): unknown {
  const failure = asPg(error);
  return failure instanceof Error ? showCaller(failure, told) : failure;
}
