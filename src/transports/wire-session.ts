import { DatabaseError } from "../errors/database-error.ts";
import { isWarmlineError, UsageError, type WarmlineError } from "../errors/errors.ts";
import type { TransactionStatus } from "../errors/fate.ts";
import { QUERY_CANCELED, READ_ONLY_TRANSACTION } from "../errors/sqlstate.ts";
import { transactionNotBegun } from "../errors/transaction-failed.ts";
import { type ErrorResponse, isErrorResponse } from "../wire/error-response.ts";
import { Exchange, type ExchangeFailure } from "../wire/exchange.ts";
import type { NamedForm, NamedStatements } from "../wire/named-statements.ts";
import { isOutOfStep, OutOfStepError } from "../wire/out-of-step.ts";
import { submit } from "../wire/submit.ts";
import { evidenceOf, isAnswered, isNameRefused, judge, type Sent } from "./evidence.ts";
import { exchangeFailure, lostStep } from "./failure.ts";
import { type Pace, paceOf } from "./pace.ts";
import { type Answering, hearing, type Sending, standsAlone, type WireCall } from "./sending.ts";
import type { StatementEnd } from "./statement-end.ts";
import type { CallOptions, Result, Session, Statement, TransportName, Via } from "./transport.ts";
import type { WireClient } from "./wire-client.ts";

/** What a session is told about the connection it holds. */
export interface WireSessionOptions {
  readonly transport: TransportName;
  readonly connectionId: string;
  readonly pooled: boolean;
  /** The names of this connection, where the target keeps any. */
  readonly named?: NamedStatements | undefined;
  /** Told of how long a statement took that stood alone. */
  readonly onPace?: (pace: Pace) => void;
  /** How what is given up ends; without it, its connection is destroyed. */
  readonly end?: StatementEnd;
}

const statusNames = { I: "idle", T: "open", E: "failed" } as const;

/** One connection from login to end, as the rest sees it: exchanges, its transaction status, and whether it can be used again. */
export class WireSession implements Session {
  /** Calls it has served. */
  uses = 0;
  /** Set when nothing may be sent any more: a lost, cancelled or aborted exchange, or a server that turned into a replica. */
  broken = false;
  /** Set where the server's answers did not fit what was sent. */
  outOfStep = false;
  /**
   * Whether the exchange that failed last can be sent again on another connection: it was not sent, or the server said farewell before it had
   * begun. What had begun may be what ended the server.
   */
  resendable = false;
  busy = false;
  readonly #client: WireClient;
  readonly #options: WireSessionOptions;
  readonly #queue: (() => void)[] = [];
  /** Set when the server was asked to cancel: what it hits may be another call than the one that was meant. */
  #cancelling = false;
  readonly #othersDoing = new WeakSet<object>();
  #farewell: ErrorResponse | undefined;
  /** Set where it broke while nothing was on its way: the next exchange is told of it as of any lost link. */
  #untold = false;

  constructor(client: WireClient, options: WireSessionOptions) {
    this.#client = client;
    this.#options = options;
    client.connection.on("parameterStatus", ({ parameterName, parameterValue }) => {
      // every text is read and written as UTF-8: in another encoding it would be another text, of this caller and of the next
      if (parameterName !== "client_encoding" || /^(utf-?8|unicode)$/i.test(parameterValue)) return;
      this.#loseStep();
    });
    // what comes while nothing is on its way: a farewell, or what nobody asked for
    client.on("error", (failure) => {
      if (isOutOfStep(failure)) {
        this.#loseStep();
      } else if (isErrorResponse(failure)) this.#farewell = failure;
      // a socket that is gone is seen by whoever holds it; one that lives got what fits nothing
      else if (client.connection.stream.destroyed === false) this.broken = this.#untold = true;
    });
  }

  /** Why it is thrown away, where it is. */
  get breach(): "broken" | "out-of-step" {
    return this.outOfStep ? "out-of-step" : "broken";
  }

  /** What the server said last. */
  get status(): TransactionStatus {
    return statusNames[this.#client.connection.link.status];
  }

  /** Whether what is shared now leaves with what was shared in this turn before. */
  get gathers(): boolean {
    return this.#client.connection.link.gathers;
  }

  /** Since when the server has had nothing to answer before what it answers now, by the monotonic clock; Infinity where that is nobody's call. */
  get headSince(): number {
    return this.#client.connection.link.headSince;
  }

  get via(): Via {
    return this.#viaOf(1, false);
  }

  #viaOf(attempts: number, pipelined: boolean): Via {
    const { transport, connectionId } = this.#options;
    const reused = this.uses > 0;
    return pipelined ? { transport, connectionId, reused, attempts, pipelined } : { transport, connectionId, reused, attempts };
  }

  async script(script: string, call: CallOptions): Promise<void> {
    await this.exchange([], { ...call, script });
  }

  /** Ends what runs on it too: a swallowed connection never ends by itself. */
  destroy(): void {
    this.broken = true;
    const { stream, link } = this.#client.connection;
    stream.destroy();
    link.lose(new Error("The connection was destroyed."));
  }

  /** Runs one exchange in its turn to its end, and no further than the call's end. */
  exchange(statements: readonly Statement[], call: WireCall): Promise<Result[]> {
    return new Promise((resolve, reject) => this.begin(statements, call, { resolve, reject }));
  }

  /** The same, for whoever needs no promise. */
  begin(statements: readonly Statement[], call: WireCall, answering: Answering): void {
    // by a promise: whoever waits goes on in its own async context, not in that of the answer before
    if (this.busy) new Promise<void>((enter) => this.#queue.push(enter)).then(() => this.#start(statements, call, answering));
    else {
      this.busy = true;
      this.#start(statements, call, answering);
    }
  }

  /** Writes a statement that stands alone behind what is on its way already, and not in its turn. */
  share(statement: Statement, call: CallOptions, answering: Answering): void {
    const statements = [statement];
    this.#send(statements, call, { answering, named: this.#nameOf(statements, call), shared: true });
  }

  #start(statements: readonly Statement[], call: WireCall, answering: Answering): void {
    const refusal = this.broken || call.cancellation.reason !== undefined || call.follows ? this.#refusalOf(call) : undefined;
    if (refusal === undefined) {
      this.#send(statements, call, { answering, named: this.#nameOf(statements, call), shared: false });
      return;
    }
    this.#endTurn();
    answering.reject(refusal);
  }

  /** Why an exchange cannot be sent, if it cannot. */
  #refusalOf({ cancellation, follows }: WireCall): WarmlineError | undefined {
    const ended = cancellation.reason?.("not-sent");
    if (ended !== undefined) return ended;
    if (this.broken) {
      const isUntold = this.#untold;
      this.#untold = false;
      if (!isUntold) return this.outOfStep ? lostStep("not-sent") : lost();
    }
    // its BEGIN was refused while it waited
    return follows && this.status === "idle" ? transactionNotBegun() : undefined;
  }

  /** Whether a call was refused for nothing of its own: hit by the cancel of another, or by its name while another ended the connection. */
  isOthersDoing(error: unknown): boolean {
    return typeof error === "object" && error !== null && this.#othersDoing.has(error);
  }

  /** By a name goes what stands alone: in a transaction nothing could be sent again, if the server did not take it. */
  #nameOf(statements: readonly Statement[], call: WireCall): NamedForm | undefined {
    const { named } = this.#options;
    if (named === undefined || statements.length !== 1 || !standsAlone(call)) return undefined;
    const [{ text, comment }] = statements as readonly [Statement];
    return comment === undefined ? named.use(text) : undefined;
  }

  #send(
    statements: readonly Statement[],
    call: WireCall,
    { answering, named, shared }: Pick<Sending, "answering" | "named" | "shared">,
  ): void {
    const via = this.#viaOf(call.attempt, shared);
    call.form?.sentOn(this.#client);
    const exchange: Exchange = new Exchange(statements, hearing(call, statements, via), named, (failure) => {
      stopListening();
      stopLimit?.();
      this.#end(sending, failure);
    });
    const { status: before } = this;
    const sending: Sending = { exchange, statements, call, before, named, answering, shared, via, onAnswer: undefined };
    const giveUp = () => this.#giveUp(sending);
    const stopLimit = this.#options.end?.limit?.(giveUp);
    const stopListening = call.cancellation.onCancel(giveUp);
    submit(this.#client, exchange, { holds: call.ordered && named !== undefined, first: call.ordered });
  }

  #giveUp(sending: Sending): void {
    const { exchange } = sending;
    const { end } = this.#options;
    const { link } = this.#client.connection;
    // the connection ends when its other calls have
    const leave = () => {
      const isLast = link.load <= (exchange.isOnItsWay ? 1 : 0);
      exchange.handleError(new Error("The call was given up."));
      if (isLast) this.destroy();
    };
    this.broken = true;
    link.isClosing = true;
    exchange.abandoned = true;
    if (exchange.sent && link.isHead(exchange) && end?.cancel) {
      this.#cancelling = true;
      sending.onAnswer = end.cancel(leave);
    } else if (exchange.sent && link.load > 1 && end) sending.onAnswer = end.leave(leave);
    else leave();
  }

  #end(sending: Sending, failure: ExchangeFailure | undefined): void {
    const { exchange, call, answering, via } = sending;
    sending.onAnswer?.();
    const told = judge(failure, sending, this.status);
    if (told) call.form?.failed(told);
    if (standsAlone(call)) this.#options.onPace?.(paceOf(exchange));
    const isNamesFault = told?.kind === "refused" && isNameRefused(told, sending);
    if (isNamesFault) this.#options.named?.forget(exchange.text);
    if (isNamesFault && !this.broken) {
      try {
        exchange.callback?.(null);
      } finally {
        this.#send(sending.statements, call.onAlive ? { ...call, onAlive: undefined } : call, { ...sending, named: undefined });
      }
      return;
    }
    if (!sending.shared) this.#endTurn();
    const error = told && this.#explain(told, sending, isNamesFault);
    const isCanceled = this.#cancelling && error?.code === QUERY_CANCELED;
    if (error && call.cancellation.reason === undefined && (isNamesFault || isCanceled)) this.#othersDoing.add(error);
    const { answers } = exchange;
    try {
      // not the driver's error: that may quote a value
      exchange.callback?.(error ?? null);
    } finally {
      if (!call.form) for (const answer of answers) answer.via = via;
      // only now: whoever is told may send the next
      if (error) answering.reject(error);
      else answering.resolve(answers as Result[]);
    }
  }

  /** Nobody knows whose the next answer would be: none is taken any more. */
  #loseStep(): void {
    this.outOfStep = true;
    this.broken = true;
    this.#untold = false;
    const { stream, link } = this.#client.connection;
    stream.destroy();
    link.lose(new OutOfStepError("The connection is out of step."));
  }

  #endTurn(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.busy = false;
  }

  #explain(failure: ExchangeFailure, sent: Sent, isNamesFault: boolean): WarmlineError {
    if (failure.kind === "lost" && isWarmlineError(failure.failure)) return failure.failure;
    const { pooled } = this.#options;
    const { reason } = sent.call.cancellation;
    const evidence = evidenceOf(failure, sent);
    const error = exchangeFailure(failure, { ...evidence, status: this.status, pooled, farewell: this.#farewell });
    if (failure.kind === "out-of-step") this.#loseStep();
    this.resendable = evidence.isUnbegun && error.fate !== "unknown" && reason === undefined;
    const becameReplica = error.code === READ_ONLY_TRANSACTION && !sent.call.readOnly;
    if (!isAnswered(failure) || becameReplica || error.fate === "unknown") this.broken = true;
    // cancelled: the fate is what the server's answer or silence tells
    const isItsOwn = error instanceof DatabaseError && error.sqlState !== QUERY_CANCELED && !isNamesFault;
    if (reason === undefined || isItsOwn) return error;
    return reason(error.fate === "applied" ? "unknown" : error.fate);
  }
}

function lost(): UsageError {
  return new UsageError("This connection failed. Leave the callback.", { code: "SESSION_BROKEN" });
}
