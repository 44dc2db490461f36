import type { DecodeError } from "../errors/errors.ts";
import { endsConnection } from "../errors/sqlstate.ts";
import { statements as statementsOf } from "../syntax/statements.ts";
import type { Field, Statement } from "../transports/transport.ts";
import { type Answer, AnswerReader } from "./answer.ts";
import { Columns, type ReadOptions, readFields } from "./columns.ts";
import type { Outbox } from "./encode.ts";
import { type ErrorResponse, readErrorResponse } from "./error-response.ts";
import * as frames from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";
import type { NamedForm } from "./named-statements.ts";
import { isOutOfStep } from "./out-of-step.ts";
import type { Submittable, Told } from "./submit.ts";
import { writeStatements } from "./write-statements.ts";

/** How an exchange is read, and written. */
export interface ExchangeOptions extends ReadOptions {
  /** A text of several statements, sent by the simple protocol in place of the others; its rows are left aside. */
  readonly script?: string | undefined;
  /** How its one statement is sent by a name; without it, unnamed. */
  readonly named?: NamedForm | undefined;
  /** Asks the connection in the same write whether it lives; called at its first sign of life. */
  readonly onAlive?: (() => void) | undefined;
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

/** The part of a linked connection that an exchange is sent by. */
export interface ExchangeConnection {
  readonly link: { send(exchange: Exchange): void };
  readonly stream: { readonly writable?: boolean };
}

/**
 * What the answer to a statement has come to. Whoever sent Parse, Bind, Describe and Execute gets their answers in this order; by a name,
 * Parse, Describe, Bind and Execute, or the last two alone.
 */
type Progress = "nothing" | "parsed" | "parameters" | "described" | "bound" | "rows" | "no rows" | "copying" | "copy refused";

/**
 * Several statements in one write with one single Sync, so that the server treats them as one piece: after a failure it skips the rest. It
 * knows how many answers must come back, and ends when the connection is ready again, or gone, so whoever waits for it finds the connection's
 * transaction status settled. None at all, and the Sync alone asks whether the connection lives.
 * Protocol: PostgreSQL documentation, "Extended Query" and "Pipelining".
 */
export class Exchange implements Submittable {
  readonly name = null;
  callback: Told | undefined;
  readonly answers: Answer[] = [];
  /** How many ReadyForQuery are to come. */
  due: number;
  /** Whether any byte was handed to the socket. */
  sent = false;
  /** Whether the server has begun with it: ParseComplete, or any answer. */
  begun = false;
  /** Whether the server has said that it ends the connection. */
  isOver = false;
  /** Whether the server has bound the first statement: before, nothing of it was done. */
  bound = false;
  /** Set by the holder when nothing may be written any more. */
  abandoned = false;
  readonly #statements: readonly Statement[];
  readonly #options: ExchangeOptions;
  readonly #onEnd: (failure?: ExchangeFailure) => void;
  readonly #reader = new AnswerReader();
  /** How many of the names that are closed before it the server has closed. */
  #closed = 0;
  #progress: Progress = "nothing";
  #report: ErrorResponse | undefined;
  #ended = false;

  /** `onEnd` is called once. */
  constructor(statements: readonly Statement[], options: ExchangeOptions, onEnd: (failure?: ExchangeFailure) => void) {
    this.#statements = statements;
    this.#options = options;
    this.due = options.onAlive === undefined ? 1 : 2;
    this.#onEnd = onEnd;
  }

  get text(): string {
    return this.#options.script ?? this.#statements.map(({ text }) => text).join("; ");
  }

  /** Called by the driver when its turn has come. */
  submit({ link, stream }: ExchangeConnection): Error | null {
    if (this.sent) return null;
    if (this.abandoned || stream.writable === false) return new Error("The connection is closed.");
    this.sent = true;
    link.send(this);
    return null;
  }

  /** Writes its messages. */
  write(outbox: Outbox): void {
    const { script } = this.#options;
    if (this.#asking) outbox.sync();
    if (script !== undefined) {
      // the simple protocol has no ParseComplete
      this.begun = true;
      outbox.query(script);
      return;
    }
    writeStatements(outbox, this.#statements, this.#options.named);
    outbox.sync();
  }

  /**
   * Takes a message, whole and in agreement with its length, from its first byte to its end; what it has to answer is written to `outbox`.
   * False where it is no answer to what was sent.
   */
  take(bytes: MessageBytes, start: number, end: number, outbox: Outbox): boolean {
    const type = bytes[start];
    if (this.#report !== undefined || this.#asking) return type === frames.ERROR_RESPONSE && this.#refuse(bytes, start, end);
    switch (type) {
      case frames.DATA_ROW:
        return this.#progress === "rows" && this.#readRow(bytes, start, end);
      case frames.PARSE_COMPLETE:
        return this.#closed === this.#closes && this.#advance("nothing", "parsed");
      case frames.PARAMETER_DESCRIPTION:
        return this.#options.named !== undefined && this.#advance("parsed", "parameters");
      case frames.BIND_COMPLETE:
        return this.#bind();
      case frames.NO_DATA:
        return this.#describe(null);
      case frames.ROW_DESCRIPTION:
        return this.#describe(readFields(bytes, start));
      case frames.CLOSE_COMPLETE:
        return this.#progress === "nothing" && this.#closed++ < this.#closes;
      case frames.COMMAND_COMPLETE:
        return this.#answer(this.#mayEnd(), bytes.toString("utf8", start + frames.HEADER_BYTES, end - 1));
      case frames.EMPTY_QUERY_RESPONSE:
        return this.#answer(this.#progress === this.#beforeAnswer && this.#isEmpty(), null);
      case frames.ERROR_RESPONSE:
        return this.#refuse(bytes, start, end);
      case frames.COPY_OUT_RESPONSE:
        return this.#advance(this.#beforeAnswer, "copying");
      case frames.COPY_DATA:
      case frames.COPY_DONE:
        return this.#progress === "copying";
      case frames.COPY_IN_RESPONSE:
        return this.#refuseCopy(outbox);
      default:
        return false;
    }
  }

  /** Takes ReadyForQuery. Returns what it tells once the packet it came in is believed; undefined where it is no answer to what was sent. */
  ready(): (() => void) | undefined {
    const report = this.#report;
    if (this.#asking) {
      this.due--;
      return report === undefined ? () => this.#options.onAlive?.() : undefined;
    }
    this.due--;
    if (report !== undefined) return () => this.#end({ kind: "refused", report, ready: true });
    // how many statements a script is only the server knows; an empty one has an answer, too
    const isWhole = this.#progress === "nothing" && (this.#isScript ? this.answers.length > 0 : this.#isFull());
    return isWhole ? () => this.#end(this.#reader.failure && { kind: "unread", error: this.#reader.failure }) : undefined;
  }

  /** The driver is ready again, or has failed. */
  handleReadyForQuery(): void {}

  /** The connection failed, or will. */
  handleError(failure: unknown): void {
    if (isOutOfStep(failure)) this.loseStep();
    else if (this.#report === undefined) this.#end({ kind: "lost", failure });
    else this.#end({ kind: "refused", report: this.#report, ready: false });
  }

  /** Something came that is no answer to it. */
  loseStep(): void {
    this.#end({ kind: "out-of-step" });
  }

  #end(failure: ExchangeFailure | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(failure);
  }

  /** Whether the answer to the Sync that was written before it is to come first. */
  get #asking(): boolean {
    return this.due === 2;
  }

  get #isScript(): boolean {
    return this.#options.script !== undefined;
  }

  /** How many names are closed before it. */
  get #closes(): number {
    return this.#options.named?.closes.length ?? 0;
  }

  /** Where a statement has come to that has no rows to describe. */
  get #beforeAnswer(): Progress {
    return this.#isScript ? "nothing" : "no rows";
  }

  /** Whether every statement has its answer. */
  #isFull(): boolean {
    return !this.#isScript && this.answers.length === this.#statements.length;
  }

  /** Whether CommandComplete may come. */
  #mayEnd(): boolean {
    const progress = this.#progress;
    if (this.#isScript) return progress !== "copy refused";
    return progress === "rows" || progress === "no rows" || progress === "copying";
  }

  /** Whether what is to be answered holds no statement. */
  #isEmpty(): boolean {
    const { script = this.#statements[this.answers.length]?.text } = this.#options;
    return script !== undefined && statementsOf(script).length === 0;
  }

  /** Goes on in the answer to a statement, if it may. */
  #advance(from: Progress, to: Progress): boolean {
    if (this.#progress !== from || this.#isFull()) return false;
    this.#progress = to;
    this.begun = true;
    return true;
  }

  #bind(): boolean {
    const { named } = this.#options;
    this.bound = true;
    if (named === undefined) return this.#advance("parsed", "bound");
    const { fields } = named.statement;
    if (!this.#advance(named.prepares ? "described" : "nothing", fields === null ? "no rows" : "rows")) return false;
    if (fields !== null) this.#reader.describe(named.statement.columns(this.#options));
    return true;
  }

  /** The columns that follow; null for none. */
  #describe(fields: readonly Field[] | null): boolean {
    const { named } = this.#options;
    if (named !== undefined) {
      if (!this.#advance("parameters", "described")) return false;
      named.statement.fields = fields;
      return true;
    }
    if (!this.#advance(this.#isScript && fields !== null ? "nothing" : "bound", fields === null ? "no rows" : "rows")) return false;
    if (fields !== null) this.#reader.describe(new Columns(fields, this.#options));
    return true;
  }

  #readRow(bytes: MessageBytes, start: number, end: number): boolean {
    return this.#isScript ? this.#reader.pass(bytes, start, end) : this.#reader.read(bytes, start, end);
  }

  /** The answer to a statement is complete. */
  #answer(mayEnd: boolean, tag: string | null): boolean {
    if (!mayEnd || this.#isFull()) return false;
    this.begun = true;
    this.#progress = "nothing";
    this.answers.push(this.#reader.complete(tag));
    return true;
  }

  /** There is no data to copy. */
  #refuseCopy(outbox: Outbox): boolean {
    if (!this.#advance(this.#beforeAnswer, "copy refused")) return false;
    // what stands behind it was written, and ends it: the server takes it for data
    if (!this.#isScript && this.answers.length < this.#statements.length - 1) return true;
    // pg's own words, so that the server's message is the same over HTTP
    outbox.copyFail("No source stream defined");
    // a simple Query ends by itself; in the extended protocol the server has skipped the Sync that was written
    if (!this.#isScript) outbox.sync();
    return true;
  }

  /** ReadyForQuery follows, or the server has ended the connection, whose end nobody has to wait for. */
  #refuse(bytes: MessageBytes, start: number, end: number): boolean {
    const report = readErrorResponse(bytes, start, end);
    this.isOver = endsConnection(report.severity);
    // what it ends the connection with tells nothing of the statement
    this.#report ??= report;
    return true;
  }
}
