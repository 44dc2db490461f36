import type { DecodeError } from "../errors/errors.ts";
import { endsConnection } from "../errors/sqlstate.ts";
import type { Statement } from "../transports/transport.ts";
import type { Answer } from "./answer.ts";
import type { Outbox } from "./encode.ts";
import { type ErrorResponse, type NoticeResponse, readErrorResponse, readNotice } from "./error-response.ts";
import { ERROR_RESPONSE } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";
import type { NamedForm } from "./named-statements.ts";
import { isOutOfStep } from "./out-of-step.ts";
import type { Queued } from "./queue.ts";
import { type AnswersOptions, StatementAnswers } from "./statement-answers.ts";
import type { Submittable, Told } from "./submit.ts";
import { writeStatements } from "./write-statements.ts";

/** How an exchange is read, and written. */
export interface ExchangeOptions extends AnswersOptions {
  /** Asks the connection in the same write whether it lives; called at its first sign of life. */
  readonly onAlive?: (() => void) | undefined;
  /** Told of what the server says beside the answer, and while it was at which statement; of a script nobody knows. */
  readonly hear?: ((notice: NoticeResponse, statement: Statement | undefined) => void) | undefined;
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
  readonly link: { send(exchange: Exchange): void; readonly isClosing: boolean };
  readonly stream: { readonly writable?: boolean };
}

/**
 * Several statements in one write with one single Sync, so that the server treats them as one piece: after a failure it skips the rest. It
 * knows how many answers must come back, and ends when the connection is ready again, or gone, so whoever waits for it finds the connection's
 * transaction status settled. None at all, and the Sync alone asks whether the connection lives.
 * Protocol: PostgreSQL documentation, "Extended Query" and "Pipelining".
 */
export class Exchange implements Submittable, Queued {
  next: object | undefined;
  readonly name = null;
  callback: Told | undefined;
  onSent: (() => unknown) | undefined;
  /** How many ReadyForQuery are to come. */
  due: number;
  /** Whether nothing was on its way when it was written: then its answer takes a round trip, too. */
  isFirst = false;
  /** When the server had nothing to answer before it, by the monotonic clock, milliseconds. */
  headAt = 0;
  /** Portals that the driver has closed before it, whose answers come first. */
  closesBefore = 0;
  /** Whether any byte was handed to the socket. */
  sent = false;
  /** Whether the server has said that it ends the connection. */
  isOver = false;
  /** Set by the holder when nothing may be written any more. */
  abandoned = false;
  readonly #statements: readonly Statement[];
  readonly #options: ExchangeOptions;
  readonly #named: NamedForm | undefined;
  readonly #onEnd: (failure?: ExchangeFailure) => void;
  readonly #expected: StatementAnswers;
  /** What the server said in place of its answer. */
  report: ErrorResponse | undefined;
  /** Whether it was told that the connection lives. */
  #isAlive = false;
  #ended = false;

  /** `named`: how its one statement is sent by a name; without it, unnamed. `onEnd` is called once. */
  constructor(
    statements: readonly Statement[],
    options: ExchangeOptions,
    named: NamedForm | undefined,
    onEnd: (failure?: ExchangeFailure) => void,
  ) {
    this.#statements = statements;
    this.#options = options;
    this.#named = named;
    this.due = options.onAlive === undefined ? 1 : 2;
    this.#expected = new StatementAnswers(statements, options, named);
    this.#onEnd = onEnd;
  }

  /** What came for its statements so far. */
  get answers(): readonly Answer[] {
    return this.#expected.answers;
  }

  /** Whether the server has begun with it: the simple protocol does not tell. */
  get begun(): boolean {
    return this.#expected.begun || (this.sent && this.#options.script !== undefined);
  }

  /** Whether its name was refused, maybe: then it is sent once more. */
  get mayGoAgain(): boolean {
    return this.#named !== undefined && this.report !== undefined && !this.bound;
  }

  /** Whether the server has bound the first statement: before, nothing of it was done. */
  get bound(): boolean {
    return this.#expected.bound;
  }

  get text(): string {
    if (this.#statements.length === 0) return this.#options.script ?? "SYNC";
    if (this.#statements.length === 1) return (this.#statements[0] as Statement).text;
    return this.#statements.map(({ text }) => text).join("; ");
  }

  /** Whether its answer is still to come. */
  get isOnItsWay(): boolean {
    return this.sent && this.due > 0;
  }

  /** Called by the driver when its turn has come. */
  submit({ link, stream }: ExchangeConnection): Error | null {
    if (this.sent) return null;
    if (this.abandoned || link.isClosing || stream.writable === false) return new Error("The connection is closed.");
    this.sent = true;
    link.send(this);
    this.onSent?.();
    return null;
  }

  /** Writes its messages. */
  write(outbox: Outbox): void {
    const { script, portal, closes } = this.#options;
    if (this.#asking) outbox.sync();
    if (script !== undefined) {
      outbox.query(script);
      return;
    }
    writeStatements(outbox, this.#statements, { named: this.#named, portal, closes });
    outbox.sync();
  }

  /**
   * Takes a message, whole and in agreement with its length, from its first byte to its end; what it has to answer is written to `outbox`.
   * False where it is no answer to what was sent.
   */
  take(bytes: MessageBytes, start: number, end: number, outbox: Outbox): boolean {
    if (bytes[start] === ERROR_RESPONSE) return this.#refuse(bytes, start, end);
    return this.report === undefined && !this.#asking && this.#expected.take(bytes, start, end, outbox);
  }

  /** What tells of a notice, where somebody listens. */
  noticed(bytes: MessageBytes, start: number, end: number): (() => void) | undefined {
    const { hear } = this.#options;
    if (hear === undefined) return undefined;
    const notice = readNotice(bytes, start, end);
    // at their Sync all of them are answered
    const statement = this.#statements[this.answers.length] ?? this.#statements.at(-1);
    return () => hear(notice, statement);
  }

  /** Takes ReadyForQuery; false where it is no answer to what was sent. */
  ready(): boolean {
    const isAlive = this.#asking;
    this.due--;
    return isAlive ? this.report === undefined : this.report !== undefined || this.#expected.isWhole;
  }

  /** Tells what a ReadyForQuery said that is believed, of each once. */
  tell(): void {
    const { onAlive } = this.#options;
    const { report } = this;
    if (onAlive !== undefined && !this.#isAlive) {
      this.#isAlive = true;
      onAlive();
    } else if (report !== undefined) this.#end({ kind: "refused", report, ready: true });
    else {
      const { failure } = this.#expected;
      this.#end(failure && { kind: "unread", error: failure });
    }
  }

  /** The driver is ready again, or has failed. */
  handleReadyForQuery(): void {}

  /** The connection failed, or will. */
  handleError(failure: unknown): void {
    if (isOutOfStep(failure)) this.#end({ kind: "out-of-step" });
    else if (this.report === undefined) this.#end({ kind: "lost", failure });
    else this.#end({ kind: "refused", report: this.report, ready: false });
  }

  /** The server has ended the connection, and said why: to this exchange, or to one before it. */
  farewell(report: ErrorResponse | undefined): void {
    this.report ??= report;
    this.handleError(undefined);
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

  /** ReadyForQuery follows, or the server has ended the connection, whose end nobody has to wait for. */
  #refuse(bytes: MessageBytes, start: number, end: number): boolean {
    const report = readErrorResponse(bytes, start, end);
    this.isOver = endsConnection(report.severity);
    // what it ends the connection with tells nothing of the statement
    this.report ??= report;
    return true;
  }
}
