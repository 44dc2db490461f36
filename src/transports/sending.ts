import type { WarmlineError } from "../errors/errors.ts";
import type { AnswerForm } from "../wire/answer.ts";
import type { Exchange, ExchangeFailure, ExchangeOptions } from "../wire/exchange.ts";
import type { NamedForm } from "../wire/named-statements.ts";
import type { Sent } from "./evidence.ts";
import { noticeOf } from "./notice.ts";
import type { ExchangeCall, Result, Statement, Via } from "./transport.ts";

/** What is told to whoever asks in another driver's name, and makes that one's answers. */
export interface ForeignForm extends AnswerForm {
  /** It is sent on this client, maybe once more on another. */
  sentOn(client: object): void;
  /** Why it failed, before it is put into words. */
  failed(failure: ExchangeFailure): void;
}

/** How one exchange is sent, a script among them. In another driver's form, results are handed on as they are made, without a `via`. */
export type WireCall = ExchangeCall &
  Pick<ExchangeOptions, "script"> & {
    readonly form?: ForeignForm | undefined;
    /** What the driver is asked meanwhile is asked behind it, also where it has to be sent once more. Default false. */
    readonly ordered?: boolean;
  };

/** Where the answer of an exchange goes. No promise: a query has one, from its queue to its answer. */
export interface Answering {
  resolve(results: Result[]): void;
  reject(error: WarmlineError): void;
}

/** An exchange on its way. */
export interface Sending extends Sent {
  readonly exchange: Exchange;
  readonly call: WireCall;
  readonly named: NamedForm | undefined;
  readonly answering: Answering;
  /** Whether it stands behind others, out of its turn. */
  readonly shared: boolean;
  readonly via: Via;
  /** Called when the answer to what was given up is in. */
  onAnswer: (() => void) | undefined;
}

/** A call as its exchange takes it, which says what was said to it where somebody listens. */
export function hearing(call: WireCall, statements: readonly Statement[], via: Via): ExchangeOptions {
  const { onNotice } = call;
  return onNotice ? { ...call, hear: (report, statement) => onNotice(noticeOf({ report, statements, statement, via })) } : call;
}

/** Whether nothing but one statement is sent. */
export function standsAlone({ ends = "autocommit", script }: WireCall): boolean {
  return ends === "autocommit" && script === undefined;
}
