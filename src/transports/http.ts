import { isWarmlineError, UsageError } from "../errors/errors.ts";
import { type HttpResult, readBody, readRows } from "./http-answer.ts";
import { postFailure, requestUnmade } from "./http-broken.ts";
import type { StatusReader } from "./http-failure.ts";
import { headersOf } from "./http-headers.ts";
import type { SendRequest } from "./http-request.ts";
import { begin, blockOf, modesSwitchedOff } from "./statements.ts";
import type { BatchOptions, CallOptions, Result, Session, Statement, TransactionMode, Transport } from "./transport.ts";

/** Opens a session beside the HTTP transport; see websocket.ts. */
type OpenSession = <T>(use: (session: Session) => Promise<T>, call: CallOptions) => Promise<T>;

/** Sessions and what became of them. */
export interface Sessions {
  readonly open: OpenSession;
  readonly stats: () => { readonly connects: number; readonly discarded: number };
}

/** What the HTTP transport is made of. */
export interface HttpTransportOptions {
  /** The full address statements are posted to. */
  readonly sqlUrl: string;
  /** The connection string of a post; where a password function is asked for it, no longer than its call lasts. */
  readonly connectionString: (call: CallOptions) => string | Promise<string>;
  /** Whether a password that is refused may be another one next time. */
  readonly passwordIsFunction: boolean;
  readonly send: SendRequest;
  readonly statusReader: StatusReader;
  /** No more of an answer is read. */
  readonly maxResponseBytes: number;
  /** Gives up what `send` keeps open. */
  readonly release: () => Promise<void>;
  /** Absent where none are opened. */
  readonly sessions: Sessions | undefined;
  /** Whether there is a WebSocket for them. */
  readonly canOpen: boolean;
}

/** Statements over SQL-over-HTTP, Neon's protocol: one POST for a query or a batch. It holds no connection. */
export function httpTransport(options: HttpTransportOptions): Transport {
  const { sqlUrl, connectionString, passwordIsFunction, send, statusReader, maxResponseBytes, sessions = noSessions } = options;

  /** One POST, of a batch where there is a mode. How far it got says what became of it. */
  async function post(statements: readonly Statement[], call: CallOptions, mode?: TransactionMode): Promise<readonly HttpResult[]> {
    const { cancellation } = call;
    const refuseEnded = () => {
      const ended = cancellation.reason?.("not-sent");
      if (ended) throw ended;
    };
    refuseEnded();
    const headers = headersOf(await connectionString(call), mode);
    const body = bodyOf(statements, mode !== undefined);
    // the password function was asked meanwhile
    refuseEnded();
    try {
      const answer = await send(sqlUrl, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal: cancellation.signal(),
        maxResponseBytes,
      });
      if (!answer.ok) throw await (await statusReader())(answer, { statements, batch: mode !== undefined, passwordIsFunction });
      return readBody(await answer.text(), mode && statements.length);
    } catch (error) {
      const failure = isWarmlineError(error) ? error : postFailure(error, sqlUrl);
      throw cancellation.reason?.(failure.fate === "not-sent" ? failure.fate : "unknown") ?? failure;
    }
  }

  async function batch(statements: readonly Statement[], call: BatchOptions): Promise<Result[]> {
    // the endpoint sends the BEGIN, and knows no more than three headers of it: the rest comes first among the statements
    const [, ...behind] = begin(call.mode, statements.length === 1, call.settings);
    const opening = [...modesSwitchedOff(call.mode), ...behind];
    const results = await post([...opening, ...statements], call, call.mode);
    return results.slice(opening.length).map((result) => toResult(result, call));
  }

  return {
    name: "http",
    can: { session: options.canOpen && sessions !== noSessions, cancel: true },
    async query(statement, call) {
      const block = blockOf(call);
      if (block !== undefined) return (await batch([statement], block))[0] as Result;
      return toResult((await post([statement], call))[0] as HttpResult, call);
    },
    batch,
    session: sessions.open,
    stats: sessions.stats,
    async warmUp() {},
    async release() {},
    [Symbol.asyncDispose]: options.release,
  };
}

/** Whoever asks is refused before, by what the transport says it can. */
const noSessions: Sessions = {
  open: () => Promise.reject(new UsageError("No sessions here.", { code: "NO_SESSION" })),
  stats: () => ({ connects: 0, discarded: 0 }),
};

function bodyOf(statements: readonly Statement[], batch: boolean): string {
  const queries = statements.map(({ text, values, comment }) => ({
    query: comment === undefined ? text : `${text} ${comment}`,
    params: values,
  }));
  try {
    return JSON.stringify(batch ? { queries } : queries[0]);
  } catch (failure) {
    throw requestUnmade(failure);
  }
}

/** @throws DecodeError where a parser throws, one of our own errors too: by then the statement was done */
function toResult(result: HttpResult, call: CallOptions): Result {
  const { command, rowCount, fields } = result;
  const via = { transport: "http", connectionId: null, reused: null, attempts: call.attempt } as const;
  return { rows: readRows(result, call), rowCount, command, fields, via };
}
