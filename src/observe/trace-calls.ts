import { isWarmlineError } from "../errors/errors.ts";
import type { Session, TransportName } from "../transports/transport.ts";
import { tellResults } from "./call-results.ts";
import { isHeard, Message, queryChannel, sessionChannel, trace, transactionChannel } from "./channels.ts";
import type { Operation } from "./events.ts";
import { type Called, resultsOf, textsOf } from "./observe-call.ts";

/** Where a call goes, as its plan says. */
export interface Destination {
  readonly runtime: string;
  readonly target: string;
  readonly transport: TransportName;
  readonly server: { readonly host: string; readonly port: number; readonly database: string };
}

/** Tells of calls by tracing channels. */
export interface CallTracing {
  /** Whether anybody hears of such a call. Asked of every call: it must cost next to nothing. */
  hears(operation: Operation): boolean;
  /** To be asked for a call that is heard. */
  begin(called: Called, destination: Destination): TracedCall;
}

/** A call that is told of. */
export interface TracedCall {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Counts an attempt that goes to the server and back as a whole; not where what is sent is counted one by one. */
  sent<T>(attempt: Promise<T>): Promise<T>;
  /** Something of it went to the server and back. */
  went(): void;
  /** The same connection, on which what is sent is counted. */
  hold<S extends Omit<Session, "script">>(session: S): S;
}

const channelOf = (operation: Operation) =>
  operation === "transaction" ? transactionChannel : operation === "session" ? sessionChannel : queryChannel;

/** Undefined where the runtime has no channels. */
export const callTracing: CallTracing | undefined = queryChannel && {
  hears: (operation) => isHeard(channelOf(operation)),
  begin: (called, destination) => new Traced(called, destination),
};

/** The message of a call. */
class CallMessage extends Message {
  readonly operation: Operation;
  readonly within: Called["within"];
  readonly target: string;
  readonly runtime: string;
  reused: boolean | null = null;
  roundTrips = 0;
  retries = 0;

  constructor({ operation, within }: Called, { runtime, target, transport, server }: Destination) {
    super({ serverAddress: server.host, serverPort: server.port, database: server.database, transport });
    this.operation = operation;
    this.within = within;
    this.target = target;
    this.runtime = runtime;
  }
}

class Traced implements TracedCall {
  readonly #called: Called;
  readonly #message: CallMessage;
  readonly #texts: readonly string[];

  constructor(called: Called, destination: Destination) {
    this.#called = called;
    this.#message = new CallMessage(called, destination);
    this.#texts = textsOf(called);
    const { operation } = called;
    if (channelOf(operation) === queryChannel) {
      Object.assign(this.#message, { texts: this.#texts, rowCount: null, returnedRows: null });
    }
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    const { operation, attempts, within } = this.#called;
    const channel = channelOf(operation);
    const message = this.#message;
    if (channel === undefined) return work();
    // of what is tried again each attempt is counted, and in a transaction or session nothing is
    const tried = () => (within === null ? work() : this.sent(work()));
    const counted = () =>
      tried().finally(() => {
        message.retries = Math.max(0, attempts() - 1);
      });
    return trace(channel, message, counted, (value) => {
      const results = resultsOf(value, this.#texts);
      if (results.length === 0) return;
      const { via, ...rows } = tellResults(results, operation);
      Object.assign(message, rows, via && { connectionId: via.connectionId, reused: via.reused });
    });
  }

  sent<T>(attempt: Promise<T>): Promise<T> {
    const { operation } = this.#called;
    return operation === "stream" || channelOf(operation) !== queryChannel ? attempt : this.#count(attempt);
  }

  went(): void {
    this.#message.roundTrips++;
  }

  hold<S extends Omit<Session, "script">>(session: S): S {
    const { connectionId, reused } = session.via;
    Object.assign(this.#message, { connectionId, reused });
    const exchange: Session["exchange"] = (statements, options) => this.#count(session.exchange(statements, options));
    return new Proxy(session, {
      get(held, name) {
        if (name === "exchange") return exchange;
        const value: unknown = Reflect.get(held, name, held);
        return typeof value === "function" ? value.bind(held) : value;
      },
    });
  }

  async #count<T>(sent: Promise<T>): Promise<T> {
    try {
      const value = await sent;
      this.went();
      return value;
    } catch (error) {
      if (isWarmlineError(error) && error.fate !== "not-sent") this.went();
      throw error;
    }
  }
}
