import type { DecodeError } from "../errors/errors.ts";
import { statements as statementsOf } from "../syntax/statements.ts";
import type { Field, Statement } from "../transports/transport.ts";
import { type Answer, type AnswerForm, AnswerReader } from "./answer.ts";
import { Columns, type ReadOptions } from "./columns.ts";
import type { Outbox } from "./encode.ts";
import * as frames from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";
import type { NamedForm } from "./named-statements.ts";
import { readFields } from "./row-description.ts";
import type { PortalUse } from "./write-statements.ts";

/** What was sent, and how its answers are read. */
export interface AnswersOptions extends ReadOptions, PortalUse {
  /** A text of several statements, sent by the simple protocol in place of the others; its rows are left aside, unless a form is given. */
  readonly script?: string | undefined;
  /** Of so many statements at first the rows are left aside: they are nobody's. Default 0. */
  readonly prelude?: number | undefined;
  /** How answers are made. Default: as this package's own. */
  readonly form?: AnswerForm | undefined;
  /** Most bytes of rows that are read. Default: no limit. */
  readonly maxResponseBytes?: number | undefined;
  /** Told at once where rows are over that: those behind them are still on their way. */
  readonly onTooLarge?: () => void;
}

/**
 * What the answer to a statement has come to. Whoever sent Parse, Bind, Describe and Execute gets their answers in this order; by a name,
 * Parse, Describe, Bind and Execute, or the last two alone.
 */
type Progress = "nothing" | "parsed" | "parameters" | "described" | "bound" | "rows" | "no rows" | "copying" | "copy refused";

/** The answers to statements, message by message: which may come, in which order, and how many. */
export class StatementAnswers {
  /** Those that are complete. */
  answers: Answer[] = [];
  /** Whether the server has begun: ParseComplete, or any answer. */
  begun = false;
  /** Whether the server has bound the first statement: before, nothing of it was done. */
  bound = false;
  readonly #statements: readonly Statement[];
  readonly #options: AnswersOptions;
  readonly #named: NamedForm | undefined;
  readonly #reader: AnswerReader;
  readonly #isScript: boolean;
  readonly #prelude: number;
  /** How many names and portals are closed first, and how many of them are. */
  readonly #closes: number;
  #closed = 0;
  #progress: Progress;

  /** `named`: how the one statement was sent by a name; without it, unnamed. */
  constructor(statements: readonly Statement[], options: AnswersOptions, named: NamedForm | undefined) {
    this.#statements = statements;
    this.#options = options;
    this.#named = named;
    this.#reader = new AnswerReader(options.maxResponseBytes ?? Number.POSITIVE_INFINITY, options.form, options.onTooLarge);
    this.#isScript = options.script !== undefined;
    this.#prelude = options.prelude ?? 0;
    this.#closes = (named?.closes.length ?? 0) + (options.closes?.length ?? 0);
    this.#progress = this.#beginning();
  }

  /** Why a value could not be read; of the first that could not. */
  get failure(): DecodeError | undefined {
    return this.#reader.failure;
  }

  /** Whether all is there that has to be: how many statements a script is only the server knows; an empty one has an answer, too. */
  get isWhole(): boolean {
    return this.#progress === "nothing" && (this.#isScript ? this.answers.length > 0 : this.#isFull());
  }

  /**
   * Takes a message, whole and in agreement with its length, from its first byte to its end; what it has to answer is written to `outbox`.
   * False where it is no answer to what was sent.
   */
  take(bytes: MessageBytes, start: number, end: number, outbox: Outbox): boolean {
    switch (bytes[start]) {
      case frames.DATA_ROW:
        return this.#progress === "rows" && this.#readRow(bytes, start, end);
      case frames.PARSE_COMPLETE:
        return this.#advance("nothing", "parsed");
      case frames.PARAMETER_DESCRIPTION:
        return this.#named !== undefined && this.#advance("parsed", "parameters");
      case frames.BIND_COMPLETE:
        return this.#bind();
      case frames.NO_DATA:
        return this.#describe(null);
      case frames.ROW_DESCRIPTION:
        return this.#describe(readFields(bytes, start));
      case frames.CLOSE_COMPLETE:
        return !this.begun && this.#closed++ < this.#closes;
      case frames.COMMAND_COMPLETE:
        return this.#answer(this.#mayEnd(), bytes.toString("utf8", start + frames.HEADER_BYTES, end - 1));
      case frames.PORTAL_SUSPENDED:
        return this.#answer(this.#progress === "rows" && this.#isPart(), null);
      case frames.EMPTY_QUERY_RESPONSE:
        return this.#answer(this.#progress === this.#beforeAnswer && this.#isEmpty(), null);
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

  /** Where a statement has come to that has no rows to describe. */
  get #beforeAnswer(): Progress {
    return this.#isScript ? "nothing" : "no rows";
  }

  /** Whether every statement has its answer. */
  #isFull(): boolean {
    return !this.#isScript && this.answers.length === this.#statements.length;
  }

  /** Whether what is answered now gives its rows in parts. */
  #isPart(): boolean {
    return this.#options.portal !== undefined && this.answers.length === this.#statements.length - 1;
  }

  /** Where the answer to the next statement begins: of one that goes on, nothing but its columns is told again. */
  #beginning(): Progress {
    return this.#isPart() && this.#options.portal?.isOpen ? "bound" : "nothing";
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
    if (this.#progress !== from || this.#isFull() || this.#closed < this.#closes) return false;
    this.#progress = to;
    this.begun = true;
    return true;
  }

  #bind(): boolean {
    const named = this.#named;
    this.bound = true;
    if (named === undefined) return this.#advance("parsed", "bound");
    const { fields } = named.statement;
    if (!this.#advance(named.prepares ? "described" : "nothing", fields === null ? "no rows" : "rows")) return false;
    if (fields !== null) this.#reader.describe(named.statement.columns(this.#options));
    return true;
  }

  /** The columns that follow; null for none. */
  #describe(fields: readonly Field[] | null): boolean {
    const named = this.#named;
    if (named !== undefined) {
      if (!this.#advance("parameters", "described")) return false;
      named.statement.describe(fields);
      return true;
    }
    if (!this.#advance(this.#isScript && fields !== null ? "nothing" : "bound", fields === null ? "no rows" : "rows")) return false;
    if (fields !== null) this.#reader.describe(new Columns(fields, this.#options));
    return true;
  }

  #readRow(bytes: MessageBytes, start: number, end: number): boolean {
    const isAside = this.answers.length < this.#prelude || (this.#isScript && this.#options.form === undefined);
    return isAside ? this.#reader.pass(bytes, start, end) : this.#reader.read(bytes, start, end);
  }

  /** The answer to a statement is complete. */
  #answer(mayEnd: boolean, tag: string | null): boolean {
    if (!mayEnd || this.#isFull()) return false;
    this.begun = true;
    const answer = this.#reader.complete(tag);
    // a list that grows takes room for more than a dozen: most exchanges have one answer
    if (this.answers.length === 0) this.answers = [answer];
    else this.answers.push(answer);
    this.#progress = this.#beginning();
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
}
