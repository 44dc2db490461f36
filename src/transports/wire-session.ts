import { DatabaseError, isWarmlineError, UsageError, type WarmlineError } from "../errors/errors.ts";
import type { TransactionStatus } from "../errors/fate.ts";
import { QUERY_CANCELED, READ_ONLY_TRANSACTION } from "../errors/sqlstate.ts";
import type { AnswerForm } from "../wire/answer.ts";
import { type ErrorResponse, isErrorResponse } from "../wire/error-response.ts";
import { Exchange, type ExchangeFailure, type ExchangeOptions } from "../wire/exchange.ts";
import type { LinkedConnection } from "../wire/link.ts";
import type { NamedForm, NamedStatements } from "../wire/named-statements.ts";
import { isOutOfStep, OutOfStepError } from "../wire/out-of-step.ts";
import { type SubmitClient, submit } from "../wire/submit.ts";
import { isAnswered, isNameRefused, phaseOf, type Sent, workOf } from "./evidence.ts";
import { exchangeFailure, lostStep } from "./failure.ts";
import { inStep } from "./in-step.ts";
import { type Pace, paceOf } from "./pace.ts";
import type { StatementEnd } from "./statement-end.ts";
import type { CallOptions, ExchangeCall, Result, Session, Statement, TransportName, Via } from "./transport.ts";

/** The part of a linked connection a session needs. */
type SessionConnection = Pick<LinkedConnection, "link"> & {
  readonly stream: { readonly destroyed?: boolean; destroy(): unknown };
  on(event: "parameterStatus", listener: (message: { parameterName: string; parameterValue: string }) => void): unknown;
};

/** The part of a pg client a session needs. */
export interface WireClient extends SubmitClient {
  readonly connection: SessionConnection;
  on(event: "error", listener: (failure: unknown) => void): unknown;
  /** Whether nothing is on its way. */
  readonly readyForQuery?: boolean;
}

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

/** What is told to whoever asks in another driver's name, and makes that one's answers. */
export interface ForeignForm extends AnswerForm {
  /** It is sent on this client, maybe once more on another. */
  sentOn(client: WireClient): void;
  /** Why it failed, before it is put into words. */
  failed(failure: ExchangeFailure): void;
}

/** How one exchange is sent, a script among them. In another driver's form, results are handed on as they are made, without a `via`. */
export type WireCall = ExchangeCall & Pick<ExchangeOptions, "script"> & { readonly form?: ForeignForm | undefined };

/** A call, and how its statement is sent by a name. */
type NamedCall = WireCall & Pick<ExchangeOptions, "named">;

/** What was sent of it. */
type NamedSent = Sent & { readonly exchange: Exchange; readonly call: NamedCall };

/** Where the answer of an exchange goes. */
interface Answering {
  readonly resolve: (results: Result[]) => void;
  readonly reject: (error: WarmlineError) => void;
  /** Whether it stands behind others, out of its turn. */
  readonly shared?: boolean;
}

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
      else if (client.connection.stream.destroyed === false) this.broken = true;
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

  get via(): Via {
    return this.#viaOf(1);
  }

  #viaOf(attempts: number): Via {
    const { transport, connectionId } = this.#options;
    return { transport, connectionId, reused: this.uses > 0, attempts };
  }

  async script(script: string, call: CallOptions): Promise<void> {
    await this.exchange([], { ...call, ends: "autocommit", script });
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
    return new Promise((resolve, reject) => {
      const start = () => {
        const refusal = call.cancellation.reason?.("not-sent") ?? (this.broken && (this.outOfStep ? lostStep("not-sent") : lost()));
        if (!refusal) return this.#send(statements, { ...call, named: this.#nameOf(statements, call) }, { resolve, reject });
        this.#endTurn();
        reject(refusal);
      };
      // by a promise: whoever waits goes on in its own async context, not in that of the answer before
      if (this.busy) new Promise<void>((enter) => this.#queue.push(enter)).then(start);
      else {
        this.busy = true;
        start();
      }
    });
  }

  /** Writes a statement that stands alone behind what is on its way already, and not in its turn. */
  share(statement: Statement, call: CallOptions): Promise<Result> {
    const statements = [statement];
    const shared: NamedCall = { ...call, ends: "autocommit", named: this.#options.named?.use(statement.text) };
    return new Promise((resolve, reject) => {
      this.#send(statements, shared, { resolve: (results) => resolve(results[0] as Result), reject, shared: true });
    });
  }

  /** Whether a call was refused for nothing of its own: hit by the cancel of another, or by its name while another ended the connection. */
  isOthersDoing(error: unknown): boolean {
    return typeof error === "object" && error !== null && this.#othersDoing.has(error);
  }

  /** By a name goes what stands alone: in a transaction nothing could be sent again, if the server did not take it. */
  #nameOf([statement, ...others]: readonly Statement[], { ends }: WireCall): NamedForm | undefined {
    return statement !== undefined && others.length === 0 && ends === "autocommit" ? this.#options.named?.use(statement.text) : undefined;
  }

  #send(statements: readonly Statement[], call: NamedCall, answer: Answering): void {
    const { end, onPace } = this.#options;
    const via = answer.shared ? { ...this.#viaOf(call.attempt), pipelined: true as const } : this.#viaOf(call.attempt);
    let onAnswer: (() => void) | undefined;
    const { link } = this.#client.connection;
    // the connection ends when its other calls have
    const leave = () => {
      const isLast = link.load <= (exchange.isOnItsWay ? 1 : 0);
      exchange.handleError(new Error("The call was given up."));
      if (isLast) this.destroy();
    };
    const giveUp = () => {
      this.broken = true;
      link.isClosing = true;
      exchange.abandoned = true;
      if (exchange.sent && link.isHead(exchange) && end?.cancel) {
        this.#cancelling = true;
        onAnswer = end.cancel(leave);
      } else if (exchange.sent && link.load > 1 && end) onAnswer = end.leave(leave);
      else leave();
    };
    call.form?.sentOn(this.#client);
    const exchange = new Exchange(statements, call, (failure) => {
      stopListening();
      stopLimit?.();
      onAnswer?.();
      const told = this.#judge(failure, sent);
      if (told) call.form?.failed(told);
      if (call.ends === "autocommit") onPace?.(paceOf(exchange));
      const isNamesFault = told?.kind === "refused" && isNameRefused(told, sent);
      if (isNamesFault) this.#options.named?.forget(exchange.text);
      if (isNamesFault && !this.broken) {
        exchange.callback?.(null);
        return this.#send(statements, { ...call, named: undefined, onAlive: undefined }, answer);
      }
      if (!answer.shared) this.#endTurn();
      const error = told && this.#explain(told, sent);
      const isCanceled = this.#cancelling && error?.code === QUERY_CANCELED && call.cancellation.reason === undefined;
      if (error && (isNamesFault || isCanceled)) this.#othersDoing.add(error);
      if (error) answer.reject(error);
      else answer.resolve(call.form ? (exchange.answers as Result[]) : exchange.answers.map((given) => Object.assign(given, { via })));
      // not the driver's error: that may quote a value
      exchange.callback?.(error ?? null);
    });
    const sent: NamedSent = { exchange, statements, call, before: this.status };
    const stopLimit = end?.limit?.(giveUp);
    const stopListening = call.cancellation.onCancel(giveUp);
    submit(this.#client, exchange);
  }

  /** Nobody knows whose the next answer would be: none is taken any more. */
  #loseStep(): void {
    this.outOfStep = true;
    this.broken = true;
    const { stream, link } = this.#client.connection;
    stream.destroy();
    link.lose(new OutOfStepError("The connection is out of step."));
  }

  #endTurn(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.busy = false;
  }

  /** What an exchange that ended has failed with, its own check included: the status it left must be the one it had to. */
  #judge(failure: ExchangeFailure | undefined, { exchange, statements, call, before }: Sent): ExchangeFailure | undefined {
    const { prelude = 0, ends, script } = call;
    if (failure !== undefined && !isAnswered(failure)) return failure;
    const kept = inStep({
      ends: script === undefined || ends === "free" ? ends : "script",
      before,
      after: this.status,
      refused: failure?.kind === "refused",
      answers: exchange.answers,
      prelude,
      sent: statements.length,
    });
    return kept ? failure : { kind: "out-of-step" };
  }

  #explain(failure: ExchangeFailure, sent: Sent): WarmlineError {
    const { exchange, statements, call, before } = sent;
    if (failure.kind === "lost" && isWarmlineError(failure.failure)) return failure.failure;
    const { prelude = 0, script } = call;
    const { reason } = call.cancellation;
    const { answers } = exchange;
    const answered = isAnswered(failure);
    const phase = phaseOf(failure, sent);
    const error = exchangeFailure(failure, {
      work: workOf(sent),
      phase,
      status: this.status,
      statements,
      script,
      prelude,
      answers,
      pooled: this.#options.pooled,
      farewell: this.#farewell,
    });
    if (failure.kind === "out-of-step") this.#loseStep();
    const unbegun = phase === "unsent" || (phase === "written" && failure.kind === "refused" && !answered);
    this.resendable = unbegun && before === "idle" && error.fate !== "unknown" && reason === undefined;
    const becameReplica = error.code === READ_ONLY_TRANSACTION && !call.readOnly;
    if (!answered || becameReplica || error.fate === "unknown") this.broken = true;
    // cancelled: the fate is what the server's answer or silence tells
    if (reason === undefined || (error instanceof DatabaseError && error.sqlState !== QUERY_CANCELED)) return error;
    return reason(error.fate === "applied" ? "unknown" : error.fate);
  }
}

function lost(): UsageError {
  return new UsageError("This connection failed. Leave the callback.", { code: "SESSION_BROKEN" });
}
