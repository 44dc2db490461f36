import { DatabaseError, UsageError, type WarmlineError } from "../errors/errors.ts";
import { QUERY_CANCELED, READ_ONLY_TRANSACTION } from "../errors/sqlstate.ts";
import { type Answer, Exchange, isErrorResponse, type Outcome, type WireConnection } from "./exchange.ts";
import { exchangeFailure } from "./failure.ts";
import type { CallOptions, Clock, ExchangeCall, ExchangePhase, Result, Session, Statement, TransportName, Via } from "./transport.ts";

/** The part of a pg client a session needs. */
export interface WireClient {
  readonly connection: WireConnection;
  query(submittable: object): unknown;
}

/** What a session is told about the connection it holds. */
export interface WireSessionOptions {
  readonly transport: TransportName;
  readonly connectionId: string;
  readonly pooled: boolean;
  /** Asks the server to cancel what the connection runs; resolves when the request is delivered. Absent where the target knows none. */
  readonly cancel: (() => Promise<void>) | undefined;
  /** Asked first what a failure means, where the connection knows more than its exchange. */
  readonly explain?: (failure: unknown) => WarmlineError | undefined;
  /** Bounds one exchange where the server was not told to; null for no bound of its own. */
  readonly statementTimeoutMs: number | null;
  readonly clock: Clock;
  /** Sees the text of every statement before it is sent. */
  readonly onStatement?: ((text: string) => void) | undefined;
}

/** What is being sent, as far as the reader of its failure wants to know. */
interface Turn {
  readonly statements: readonly Statement[];
  readonly phase: ExchangePhase;
  readonly prelude: number;
  readonly call: CallOptions;
  readonly onAlive?: (() => void) | undefined;
}

const statusNames = { I: "idle", T: "open", E: "failed" } as const;

/** How long a cancelled statement may take to answer before its connection is destroyed, milliseconds. */
const CANCEL_GRACE_MS = 250;

/** One connection from login to end, as the rest sees it: exchanges, its transaction status, and whether it can be used again. */
export class WireSession implements Session {
  /** Calls it has served. */
  uses = 0;
  /** Set when nothing may be sent any more: a lost, cancelled or aborted exchange, or a server that turned into a replica. */
  broken = false;
  readonly #client: WireClient;
  readonly #options: WireSessionOptions;
  #status: "I" | "T" | "E" = "I";
  #running: Exchange | undefined;
  #grace: unknown;
  #taken = false;
  readonly #queue: (() => void)[] = [];

  constructor(client: WireClient, options: WireSessionOptions) {
    this.#client = client;
    this.#options = options;
    const connection = client.connection as unknown as {
      on(event: string, listener: (message: { status: "I" | "T" | "E" }) => void): void;
    };
    connection.on("readyForQuery", (message) => {
      this.#status = message.status;
    });
  }

  get via(): Via {
    return { transport: this.#options.transport, connectionId: this.#options.connectionId, reused: this.uses > 0, attempts: 1 };
  }

  get status(): "idle" | "open" | "failed" {
    return statusNames[this.#status];
  }

  get busy(): boolean {
    return this.#taken;
  }

  exchange(statements: readonly Statement[], options: ExchangeCall): Promise<Result[]> {
    if (this.#options.onStatement) for (const { text } of statements) this.#options.onStatement(text);
    const via = { ...this.via, attempts: options.attempt };
    return this.#run(
      { statements, phase: options.phase, prelude: options.prelude ?? 0, call: options, onAlive: options.onAlive },
      (onEnd) => new Exchange(statements, options, onEnd),
      ({ answers }) => answers.map(({ rows, rowCount, command, fields }: Answer): Result => ({ rows, rowCount, command, fields, via })),
    );
  }

  script(text: string, options: CallOptions): Promise<void> {
    return this.#run(
      { statements: [], phase: "autocommit", prelude: 0, call: options },
      (onEnd) => new Script(text, options, onEnd),
      () => undefined,
    );
  }

  /** Ends what runs on it too: a swallowed connection never ends by itself. */
  destroy(): void {
    this.broken = true;
    this.#client.connection.stream.destroy();
    this.#running?.handleError(new Error("The connection was destroyed."));
  }

  /** Runs one exchange to its end, and no further than the call's end. */
  async #run<T>(
    turn: Turn,
    make: (onEnd: (outcome: Outcome | undefined) => void) => Exchange,
    read: (exchange: Exchange) => T,
  ): Promise<T> {
    if (this.#taken) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#taken = true;
    try {
      const { cancellation } = turn.call;
      if (cancellation.reason !== undefined) throw cancellation.reason("not-sent");
      if (this.broken) throw lost();
      return await new Promise((resolve, reject) => {
        const { clock, statementTimeoutMs } = this.#options;
        let stopListening: (() => void) | undefined;
        const limit = statementTimeoutMs === null ? undefined : clock.setTimeout(() => this.#cancel(exchange), statementTimeoutMs);
        const exchange = make((ended) => {
          this.#running = undefined;
          this.#endGrace();
          if (limit !== undefined) clock.clearTimeout(limit);
          stopListening?.();
          if (ended !== undefined) reject(this.#explain(ended.failure, exchange, turn));
          else if (exchange.decodeError !== undefined) reject(exchange.decodeError);
          else resolve(read(exchange));
        });
        this.#running = exchange;
        stopListening = cancellation.onCancel(() => this.#cancel(exchange));
        this.#client.query(turn.onAlive === undefined ? exchange : exchange.asking(this.#client, turn.onAlive));
      });
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#taken = false;
      else next();
    }
  }

  #explain(failure: unknown, exchange: Exchange, turn: Turn): WarmlineError {
    const { readOnly, cancellation } = turn.call;
    const error = this.#options.explain?.(failure) ?? exchangeFailure(failure, exchange, { ...turn, pooled: this.#options.pooled });
    const fatal = !isErrorResponse(failure) || failure.severity === "FATAL" || failure.severity === "PANIC";
    const becameReplica = error.code === READ_ONLY_TRANSACTION && !readOnly;
    if (fatal || becameReplica || error.fate === "unknown") this.broken = true;
    return cancellation.reason === undefined ? error : asCancelled(error, cancellation.reason);
  }

  #endGrace(): void {
    if (this.#grace === undefined) return;
    this.#options.clock.clearTimeout(this.#grace);
    this.#grace = undefined;
    this.destroy();
  }

  /** CancelRequest, a short wait for its answer, then the end of the connection. Destroying first would leave the statement running. */
  #cancel(exchange: Exchange): void {
    this.broken = true;
    exchange.abandoned = true;
    const { cancel, clock } = this.#options;
    if (!exchange.sent || cancel === undefined) {
      this.destroy();
      return;
    }
    this.#grace = clock.setTimeout(() => this.destroy(), CANCEL_GRACE_MS);
    cancel().catch(() => this.destroy());
  }
}

/** A text of several statements by the simple protocol; its rows are left aside. */
class Script extends Exchange {
  readonly #text: string;

  constructor(text: string, options: CallOptions, onEnd: (outcome: Outcome | undefined) => void) {
    super([], options, onEnd);
    this.#text = text;
  }

  override submit(connection: WireConnection): Error | null {
    if (this.abandoned || connection.stream.writable === false) return new Error("The connection is closed.");
    this.sent = true;
    connection.query(this.#text);
    return null;
  }

  override handleDataRow(): void {}
}

/** The cancelled call's own error, with the fate the server's answer or silence tells. */
function asCancelled(error: WarmlineError, reason: NonNullable<CallOptions["cancellation"]["reason"]>): WarmlineError {
  if (error instanceof DatabaseError && error.sqlState !== QUERY_CANCELED) return error;
  return reason(error.fate === "applied" ? "unknown" : error.fate);
}

function lost(): UsageError {
  return new UsageError("This connection was given up after a failure. Leave the callback.", {
    code: "SESSION_BROKEN",
  });
}
