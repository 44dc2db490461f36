import { isWarmlineError } from "../errors/errors.ts";
import type { Session, TransportName } from "../transports/transport.ts";
import { tellResults } from "./call-results.ts";
import { isHeard, messageOf, note, trace, tracingChannel } from "./channels.ts";
import type { Operation } from "./events.ts";
import { type Called, resultsOf, textsOf } from "./observe-call.ts";

/** Where a call goes, as its plan says. */
interface Destination {
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
  tracingChannel(operation === "transaction" || operation === "session" ? `warmline:${operation}` : "warmline:query");

/** Where the runtime has no channels nobody hears. */
export const callTracing: CallTracing = {
  hears: (operation) => isHeard(channelOf(operation)),
  begin: traceCall,
};

function traceCall(called: Called, { runtime, target, transport, server }: Destination): TracedCall {
  const { operation, within, attempts } = called;
  const channel = channelOf(operation) as NonNullable<ReturnType<typeof channelOf>>;
  const texts = textsOf(called);
  const isQuery = channel === tracingChannel("warmline:query");
  const place = { serverAddress: server.host, serverPort: server.port, database: server.database, transport };
  const known = { operation, within, target, runtime, reused: null, roundTrips: 0, retries: 0 };
  const message = messageOf(place, isQuery ? { ...known, texts, rowCount: null, returnedRows: null } : known);
  const went = () => note(message, { roundTrips: message.roundTrips + 1 });
  const count = <T>(sent: Promise<T>): Promise<T> => {
    sent.then(went, (error) => {
      if (isWarmlineError(error) && error.fate !== "not-sent") went();
    });
    return sent;
  };
  const sent: TracedCall["sent"] = (attempt) => (isQuery && operation !== "stream" ? count(attempt) : attempt);
  return {
    // of what is tried again each attempt is counted, and in a transaction or session nothing is
    run: (work) =>
      trace(channel, message, {
        work: () => (within === null ? work() : sent(work())),
        note(value) {
          const results = resultsOf(value, texts);
          if (results.length === 0) return;
          const { via, ...rows } = tellResults(results, operation);
          note(message, { ...rows, ...(via && { connectionId: via.connectionId, reused: via.reused }) });
        },
        settled: () => note(message, { retries: Math.max(0, attempts() - 1) }),
      }),
    sent,
    went,
    hold(session) {
      const { connectionId, reused } = session.via;
      note(message, { connectionId, reused });
      const exchange: Session["exchange"] = (...given) => count(session.exchange(...given));
      return new Proxy(session, {
        get(held, name) {
          if (name === "exchange") return exchange;
          const value: unknown = Reflect.get(held, name);
          return typeof value === "function" ? value.bind(held) : value;
        },
      });
    },
  };
}
