import type { DecodeError } from "../errors/errors.ts";
import type { ReportedPlace } from "../errors/fate.ts";
import { endsConnection } from "../errors/sqlstate.ts";
import { statements as statementsOf } from "../syntax/statements.ts";
import { type Answer, AnswerReader, type ReadOptions } from "./answer.ts";
import { endings, type Progress, type Step } from "./progress.ts";
import { isOutOfStep } from "./strict-answers.ts";
import type { Submittable, Told } from "./submit.ts";
import type { Field, Statement } from "./transport.ts";

/** The part of a pg connection an exchange writes to. pg's and the one in Neon's driver both have it. */
export interface WireConnection {
  readonly stream: { readonly writable?: boolean; readonly destroyed?: boolean; cork?(): void; uncork?(): void; destroy(): unknown };
  parse(message: { readonly text: string; readonly name: string }, more?: boolean): void;
  bind(message: { readonly values: (string | null)[] }, more?: boolean): void;
  describe(message: { readonly type: "P"; readonly name: string }, more?: boolean): void;
  execute(message: Record<string, never>, more?: boolean): void;
  query(text: string): void;
  sync(): void;
  sendCopyFail(reason: string): void;
  once(event: "readyForQuery" | "end", listener: () => void): unknown;
  removeListener(event: "readyForQuery" | "end", listener: () => void): unknown;
}

/** How an exchange is read, and written. */
export interface ExchangeOptions extends ReadOptions {
  /** A text of several statements, sent by the simple protocol in place of the others; its rows are left aside. */
  readonly script?: string | undefined;
}

/**
 * How an exchange ended that did not succeed: the server's ErrorResponse, the loss of the link as the driver tells it, an answer that could
 * not be decoded, or one that is no answer to what was sent.
 */
export type ExchangeFailure =
  /** `ready`: ReadyForQuery came behind it; else the connection has ended. */
  | { readonly kind: "refused"; readonly report: ErrorResponse; readonly ready: boolean }
  | { readonly kind: "lost"; readonly failure: unknown }
  | { readonly kind: "unread"; readonly error: DecodeError }
  | { readonly kind: "out-of-step" };

/** An ErrorResponse as a driver hands it over. Its severity is in the server's language. */
export type ErrorResponse = Error & { readonly severity: string; readonly code: string; readonly routine?: string } & Pick<
    ReportedPlace,
    "position" | "internalQuery" | "where"
  >;

const outOfStep: ExchangeFailure = { kind: "out-of-step" };

/**
 * Several statements in one write with one single Sync, so that the server treats them as one piece: after a failure it skips the rest.
 * A submittable for pg's `client.query`; it runs unchanged on the client in Neon's driver. It knows how many answers must come back, and ends
 * when the connection is ready again, or gone, so whoever waits for it finds the connection's transaction status settled.
 * Protocol: PostgreSQL documentation, "Extended Query" and "Pipelining".
 */
export class Exchange implements Submittable {
  readonly name = null;
  callback: Told | undefined;
  readonly answers: Answer[] = [];
  /** Whether any byte was handed to the socket. */
  sent = false;
  /** Whether the server has begun with it: ParseComplete, or any answer. */
  begun = false;
  /** Set while the answer to what was written before it is to come first. */
  waiting = false;
  /** Set by the holder when nothing may be written any more. */
  abandoned = false;
  readonly #statements: readonly Statement[];
  readonly #options: ExchangeOptions;
  readonly #onEnd: (failure?: ExchangeFailure) => void;
  readonly #reader: AnswerReader;
  readonly #isScript: boolean;
  #progress: Progress = "nothing";
  #ended = false;

  /** `onEnd` is called once, and tells the callback what it made of the failure. */
  constructor(statements: readonly Statement[], options: ExchangeOptions, onEnd: (failure?: ExchangeFailure) => void) {
    this.#statements = statements;
    this.#options = options;
    this.#reader = new AnswerReader(options);
    this.#isScript = options.script !== undefined;
    this.#onEnd = onEnd;
  }

  get text(): string {
    return this.#options.script ?? this.#statements.map(({ text }) => text).join("; ");
  }

  submit(connection: WireConnection): Error | null {
    if (this.sent) return null;
    if (this.abandoned || connection.stream.writable === false) return new Error("The connection is closed.");
    this.sent = true;
    const { script } = this.#options;
    if (script !== undefined) {
      // the simple protocol has no ParseComplete
      this.begun = true;
      connection.query(script);
      return null;
    }
    connection.stream.cork?.();
    for (const { text, values } of this.#statements) {
      connection.parse({ text, name: "" }, true);
      connection.bind({ values: values as (string | null)[] }, true);
      connection.describe({ type: "P", name: "" }, true);
      connection.execute({}, true);
    }
    connection.sync();
    connection.stream.uncork?.();
    return null;
  }

  /** A message that the driver hands to nobody. */
  handleStep(step: Step): void {
    if (step === "parseComplete") this.#advance("nothing", "parsed");
    else if (step === "bindComplete") this.#advance("parsed", "bound");
    else if (step === "noData") this.#advance("bound", "no rows");
    else if (step === "copyOutResponse") this.#advance(this.#isScript ? "nothing" : "no rows", "copying");
    else if (step !== "copyDone" || this.#progress !== "copying") this.lose();
  }

  /** Something came that is no answer to it. */
  lose(): void {
    this.#end(outOfStep);
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    if (this.#advance(this.#isScript ? "nothing" : "bound", "rows")) this.#reader.describe(fields);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#progress !== "rows" || fields.length !== this.#reader.width) this.lose();
    else if (!this.#isScript) this.#reader.read(fields);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#answer(this.#isScript ? this.#progress !== "copy refused" : endings.has(this.#progress), text);
  }

  handleEmptyQuery(): void {
    const { script = this.#statements[this.answers.length]?.text } = this.#options;
    const isEmpty = script !== undefined && statementsOf(script).length === 0;
    this.#answer(isEmpty && this.#progress === (this.#isScript ? "nothing" : "no rows"), null);
  }

  handleCopyInResponse(connection: WireConnection): void {
    const { script } = this.#options;
    if (!this.#advance(this.#isScript ? "nothing" : "no rows", "copy refused")) return;
    // what stands behind it was written, and ends it: the server takes it for data
    if (script === undefined && this.answers.length < this.#statements.length - 1) return;
    // there is no data to copy; pg's own words, so that the server's message is the same over HTTP
    connection.sendCopyFail("No source stream defined");
    // a simple Query ends by itself; in the extended protocol the server has skipped the Sync that was written
    if (script === undefined) connection.sync();
  }

  handleCopyData(): void {
    if (this.#progress !== "copying") this.lose();
  }

  handlePortalSuspended(): void {
    this.lose();
  }

  handleReadyForQuery(): void {
    // how many statements a script is only the server knows; an empty one has an answer, too
    const isWhole = this.#progress === "nothing" && (this.#isScript ? this.answers.length > 0 : this.#isFull());
    if (!isWhole) this.lose();
    else this.#end(this.#reader.failure && { kind: "unread", error: this.#reader.failure });
  }

  /** A driver's error as it came. The server's own is followed by ReadyForQuery, or it has ended the connection: the severity may be translated. */
  handleError(failure: unknown, connection?: WireConnection): void {
    if (isOutOfStep(failure)) {
      this.lose();
      return;
    }
    if (!isErrorResponse(failure)) {
      this.#end({ kind: "lost", failure });
      return;
    }
    const settle = (isReady: boolean) => {
      connection?.removeListener("readyForQuery", ready);
      connection?.removeListener("end", gone);
      this.#end({ kind: "refused", report: failure, ready: isReady });
    };
    const ready = () => settle(true);
    const gone = () => settle(false);
    if (connection === undefined || endsConnection(failure.severity)) {
      gone();
      return;
    }
    connection.once("readyForQuery", ready);
    connection.once("end", gone);
  }

  /** Whether every statement has its answer. */
  #isFull(): boolean {
    return !this.#isScript && this.answers.length === this.#statements.length;
  }

  /** Goes on in the answer to a statement, if it may; else the exchange is over. */
  #advance(from: Progress, to: Progress): boolean {
    const may = this.#progress === from && !this.waiting && !this.#isFull();
    if (may) {
      this.#progress = to;
      this.begun = true;
    } else this.lose();
    return may;
  }

  /** The answer to a statement is complete. */
  #answer(mayEnd: boolean, tag: string | null): void {
    if (!mayEnd || this.waiting || this.#isFull()) {
      this.lose();
      return;
    }
    this.begun = true;
    this.#progress = "nothing";
    this.answers.push(this.#reader.complete(tag));
  }

  #end(failure: ExchangeFailure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(failure);
  }
}

/** Whether a driver's error is the server's ErrorResponse: only these carry a severity. */
export function isErrorResponse(failure: unknown): failure is ErrorResponse {
  const { severity, code } = (failure ?? {}) as { readonly severity?: unknown; readonly code?: unknown };
  return failure instanceof Error && typeof severity === "string" && typeof code === "string";
}
