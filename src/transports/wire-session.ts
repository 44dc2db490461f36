import { DatabaseError, isWarmlineError, UsageError, type WarmlineError } from "../errors/errors.ts";
import { QUERY_CANCELED, READ_ONLY_TRANSACTION } from "../errors/sqlstate.ts";
import { Exchange, type ExchangeOptions, isFatal, type WireConnection } from "./exchange.ts";
import { type ExchangeContext, exchangeFailure } from "./failure.ts";
import type { StatementEnd } from "./statement-end.ts";
import type { SubmitClient } from "./submit.ts";
import type { CallOptions, ExchangeCall, Result, Session, Statement, TransportName, Via } from "./transport.ts";

/** The part of a pg client a session needs. */
export interface WireClient extends SubmitClient {
  readonly connection: WireConnection;
}

/** What a session is told about the connection it holds. */
export interface WireSessionOptions {
  readonly transport: TransportName;
  readonly connectionId: string;
  readonly pooled: boolean;
  /** How what is given up ends; without it, its connection is destroyed. */
  readonly end?: StatementEnd;
  /** Submits an exchange; with `onAlive` it is to ask first whether the connection lives. Without it none asks, and no tracer refuses one. */
  readonly submit?: (client: WireClient, exchange: Exchange, onAlive?: () => void) => unknown;
}

const statusNames = { I: "idle", T: "open", E: "failed" } as const;

/** How one exchange is sent, a script among them. */
export type WireCall = ExchangeCall & Pick<ExchangeOptions, "script">;

/** Where the answer of an exchange goes. */
interface Answering {
  readonly resolve: (results: Result[]) => void;
  readonly reject: (error: WarmlineError) => void;
}

/** One connection from login to end, as the rest sees it: exchanges, its transaction status, and whether it can be used again. */
export class WireSession implements Session {
  /** Calls it has served. */
  uses = 0;
  /** Set when nothing may be sent any more: a lost, cancelled or aborted exchange, or a server that turned into a replica. */
  broken = false;
  status: Session["status"] = "idle";
  busy = false;
  readonly #client: WireClient;
  readonly #options: WireSessionOptions;
  readonly #queue: (() => void)[] = [];
  #running: Exchange | undefined;

  constructor(client: WireClient, options: WireSessionOptions) {
    this.#client = client;
    this.#options = options;
    const connection = client.connection as unknown as {
      on(event: string, listener: (message: { status: keyof typeof statusNames }) => void): void;
    };
    connection.on("readyForQuery", (message) => {
      this.status = statusNames[message.status];
    });
  }

  get via(): Via {
    const { transport, connectionId } = this.#options;
    return { transport, connectionId, reused: this.uses > 0, attempts: 1 };
  }

  async script(script: string, call: CallOptions): Promise<void> {
    await this.exchange([], { ...call, phase: "autocommit", script });
  }

  /** Ends what runs on it too: a swallowed connection never ends by itself. */
  destroy(): void {
    this.broken = true;
    this.#client.connection.stream.destroy();
    this.#running?.handleError(new Error("The connection was destroyed."));
  }

  /** Runs one exchange in its turn to its end, and no further than the call's end. */
  exchange(statements: readonly Statement[], call: WireCall): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      const start = () => {
        const refusal = call.cancellation.reason?.("not-sent") ?? (this.broken && lost());
        if (!refusal) return this.#send(statements, call, { resolve, reject });
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

  #send(statements: readonly Statement[], call: WireCall, answer: Answering): void {
    const { end, submit } = this.#options;
    const via = { ...this.via, attempts: call.attempt };
    let onAnswer: (() => void) | undefined;
    const destroy = () => this.destroy();
    const giveUp = () => {
      this.broken = true;
      exchange.abandoned = true;
      if (exchange.sent && end?.cancel) onAnswer = end.cancel(destroy);
      else destroy();
    };
    const exchange = new Exchange(statements, call, (failure) => {
      this.#running = undefined;
      stopListening();
      stopLimit?.();
      onAnswer?.();
      this.#endTurn();
      const error = failure === undefined ? null : this.#explain(failure, exchange, { statements, prelude: 0, ...call });
      if (error) answer.reject(error);
      else answer.resolve(exchange.answers.map((given) => ({ ...given, via })));
      // not the driver's error: that may quote a value
      exchange.callback?.(error);
    });
    this.#running = exchange;
    const stopLimit = end?.limit?.(giveUp);
    const stopListening = call.cancellation.onCancel(giveUp);
    if (submit) submit(this.#client, exchange, call.onAlive);
    // the callback is for tracers around
    else this.#client.query(exchange, () => {});
  }

  #endTurn(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.busy = false;
  }

  #explain(failure: unknown, exchange: Exchange, sent: Omit<ExchangeContext, "pooled"> & CallOptions): WarmlineError {
    if (isWarmlineError(failure)) return failure;
    const { reason } = sent.cancellation;
    const error = exchangeFailure(failure, exchange, { ...sent, pooled: this.#options.pooled });
    const becameReplica = error.code === READ_ONLY_TRANSACTION && !sent.readOnly;
    if (isFatal(failure) || becameReplica || error.fate === "unknown") this.broken = true;
    // cancelled: the fate is what the server's answer or silence tells
    if (reason === undefined || (error instanceof DatabaseError && error.sqlState !== QUERY_CANCELED)) return error;
    return reason(error.fate === "applied" ? "unknown" : error.fate);
  }
}

function lost(): UsageError {
  return new UsageError("This connection failed. Leave the callback.", { code: "SESSION_BROKEN" });
}
