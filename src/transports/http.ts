import { neon, neonConfig } from "@neondatabase/serverless";
import { decodeFailure } from "../errors/decode-failure.ts";
import { type DecodeError, isWarmlineError } from "../errors/errors.ts";
import { look } from "../errors/look.ts";
import { badResponse, postFailure, requestUnmade, statusFailure } from "./http-failure.ts";
import type { HttpRequest, SendRequest } from "./http-request.ts";
import { begin, blockOf, modesSwitchedOff } from "./statements.ts";
import type { BatchOptions, CallOptions, Field, Isolation, ParserSet, Result, Session, Statement, Transport } from "./transport.ts";

/** Opens a session beside the HTTP transport; see websocket.ts. */
export type OpenSession = <T>(use: (session: Session) => Promise<T>, call: CallOptions) => Promise<T>;

/** Sessions and what became of them. */
export interface Sessions {
  readonly open: OpenSession;
  readonly stats: () => { readonly connects: number; readonly discarded: number };
}

/** What the HTTP transport is made of. */
export interface HttpTransportOptions {
  /** The full address statements are posted to. */
  readonly sqlUrl: string;
  /** The connection string without its password, already judged: the driver would echo a broken one. */
  readonly connectionUrl: string;
  /** Asked for every POST, and no longer than its call lasts; null where none is set. */
  readonly password: ((call: CallOptions) => Promise<string>) | null;
  /** Whether a password that is refused may be another one next time. */
  readonly passwordIsFunction: boolean;
  readonly send: SendRequest;
  /** No more of an answer is read. */
  readonly maxResponseBytes: number;
  /** Gives up what `send` keeps open. */
  readonly release: () => Promise<void>;
  readonly sessions: Sessions;
  /** Whether there is a WebSocket for them. */
  readonly canOpen: boolean;
}

/** What the driver gives with `fullResults`; decoded by the parsers handed to it. */
interface DriverResult {
  readonly rows: Record<string, unknown>[];
  readonly rowCount: number | null;
  readonly command: string;
  readonly fields: readonly Field[];
}

/** A promise of the driver's: it posts on every `then`. */
interface DriverQuery {
  then<T>(onResult: (value: unknown) => T, onError: (error: unknown) => never): Promise<T>;
}

/** Statements over SQL-over-HTTP with Neon's driver: one POST for a query or a batch. It holds no connection. */
export function httpTransport(options: HttpTransportOptions): Transport {
  const run = neon(options.connectionUrl, { fullResults: true, disableWarningInBrowsers: true });
  const { password, send, maxResponseBytes } = options;
  const login = (call: CallOptions) => password && { password: () => password(call) };

  /** One POST: the driver builds the request and decodes the answer, the status and the transport's failures are judged here. */
  function post<T>(
    make: () => DriverQuery,
    context: { readonly statements: readonly Statement[]; readonly call: CallOptions; readonly batch: boolean; readonly prelude: number },
  ): Promise<T> {
    const { cancellation } = context.call;
    const ended = (fate: "not-sent" | "unknown") => cancellation.reason?.(fate);
    const early = ended("not-sent");
    if (early) return Promise.reject(early);
    const signal = cancellation.signal();
    // how far this call got: what throws on the way to it and back is the driver's, and says nothing by itself
    let handedOver = false;
    let answers: readonly RawAnswer[] | undefined;
    const fetchAnswer = async (url: string, init: Omit<HttpRequest, "redirect" | "signal" | "maxResponseBytes">) => {
      // the password function was asked meanwhile
      const late = ended("not-sent");
      if (late) throw late;
      handedOver = true;
      try {
        const response = await send(url, { ...init, redirect: "manual", signal, maxResponseBytes });
        if (!response.ok) throw await statusFailure(response, { ...context, passwordIsFunction: options.passwordIsFunction });
        const body = parseAnswer(await response.text(), context);
        // the driver puts what it has read in the place of the rows
        answers = ((context.batch ? body.results : [body]) as RawAnswer[]).map(({ fields, rows }) => ({ fields, rows }));
        return { ok: true, json: async () => body };
      } catch (error) {
        const failure = isWarmlineError(error) ? error : postFailure(error, options.sqlUrl);
        throw ended(failure.fate === "not-sent" ? failure.fate : "unknown") ?? failure;
      }
    };
    return withDriverSettings({ fetchEndpoint: () => options.sqlUrl, fetchFunction: fetchAnswer }, () =>
      make().then(
        (value) => value as T,
        (error: unknown) => {
          // whatever a parser throws, one of our own errors too
          if (answers !== undefined) throw unreadAnswer(error, answers.slice(context.prelude), context.call.parsers);
          const source = sourceOf(error);
          if (isWarmlineError(source)) throw source;
          throw handedOver ? postFailure(source, options.sqlUrl) : requestUnmade(source);
        },
      ),
    );
  }

  async function batch(statements: readonly Statement[], call: BatchOptions): Promise<Result[]> {
    const { isolation, readOnly, deferrable } = call.mode;
    const mode = { isolationLevel: isolation && driverIsolation(isolation), readOnly, deferrable, ...login(call) };
    // the endpoint sends the BEGIN, and knows no more than three headers of it: the rest comes first among the statements
    const [, ...behind] = begin(call.mode, statements.length === 1, call.settings);
    const opening = [...modesSwitchedOff(call.mode), ...behind];
    const whole = [...opening, ...statements];
    const queries = whole.map((statement, index) => driverQuery(statement, index < opening.length ? { ...call, parsers: unread } : call));
    const start = () => run.transaction(queries as never, mode as never) as unknown as DriverQuery;
    const results = await post<DriverResult[]>(start, { statements: whole, call, batch: true, prelude: opening.length });
    return results.slice(opening.length).map((result) => toResult(result, call));
  }

  const driverQuery = ({ text, values }: Statement, call: CallOptions) =>
    run.query(text, values as (string | null)[], { arrayMode: call.rowMode === "array", types: call.parsers, ...login(call) });

  return {
    name: "http",
    can: { session: options.canOpen, cancel: true },
    async query(statement, call) {
      const block = blockOf(call);
      if (block !== undefined) return (await batch([statement], block))[0] as Result;
      const start = () => driverQuery(statement, call) as unknown as DriverQuery;
      return toResult(await post<DriverResult>(start, { statements: [statement], call, batch: false, prelude: 0 }), call);
    },
    batch,
    session: options.sessions.open,
    stats: options.sessions.stats,
    async warmUp() {},
    async release() {},
    [Symbol.asyncDispose]: options.release,
  };
}

/** Of what is nobody's answer: no parser of the caller's is asked. */
const unread: ParserSet = { getTypeParser: () => (text) => text };

/** `read committed` is `ReadCommitted` to the driver. */
function driverIsolation(isolation: Isolation): string {
  return isolation.replace(/(?:^| )(.)/g, (_, letter: string) => letter.toUpperCase());
}

function toResult({ rows, rowCount, command, fields }: DriverResult, { attempt }: CallOptions): Result {
  const via = { transport: "http", connectionId: null, reused: null, attempts: attempt } as const;
  return { rows, rowCount, command: command || null, fields: Object.freeze(fields.map(plainField)), via };
}

/** A column as a plain object, whatever else the endpoint says of it. */
function plainField({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format }: Field): Field {
  return Object.freeze({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format });
}

/**
 * Runs `start` with the driver's endpoint and fetch set for it alone. The driver keeps both for the whole process and reads them once, before
 * its first await; so they are put back before anything else can run.
 */
function withDriverSettings<T>(own: { readonly fetchEndpoint: () => string; readonly fetchFunction: unknown }, start: () => T): T {
  const { fetchEndpoint, fetchFunction } = neonConfig;
  Object.assign(neonConfig, own);
  try {
    return start();
  } finally {
    Object.assign(neonConfig, { fetchEndpoint, fetchFunction });
  }
}

/** An answer's body, whole: what is missing in it must not pass for no rows, nor for a parser's failure. */
function parseAnswer(
  text: string,
  { batch, statements }: { readonly batch: boolean; readonly statements: readonly Statement[] },
): { readonly results?: unknown } {
  let body: { readonly results?: unknown };
  try {
    body = JSON.parse(text);
  } catch {
    throw badResponse();
  }
  const answers = batch ? (body as typeof body | null)?.results : [body];
  if (!Array.isArray(answers) || answers.length !== statements.length || !answers.every(isAnswer)) throw badResponse();
  return body;
}

function isAnswer(answer: { readonly rows?: unknown; readonly fields?: unknown } | null): boolean {
  const { rows, fields } = answer ?? {};
  if (!Array.isArray(rows) || !Array.isArray(fields)) return false;
  return (
    fields.every((field) => typeof field?.name === "string" && typeof field.dataTypeID === "number") &&
    rows.every((row) => Array.isArray(row) && row.length === fields.length)
  );
}

/** One statement's part of an answer, as it came. */
interface RawAnswer {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A parser threw inside the driver, which does not tell where: the answer is read again up to there. */
function unreadAnswer(thrown: unknown, answers: readonly RawAnswer[], parsers: ParserSet): DecodeError {
  for (const { fields, rows } of answers) {
    const read = fields.map(({ dataTypeID }) => parsers.getTypeParser(dataTypeID, "text"));
    for (const row of rows) {
      for (const [column, text] of row.entries()) {
        try {
          if (text !== null) read[column]?.(text);
        } catch (again) {
          return decodeFailure(again, fields, column);
        }
      }
    }
  }
  return decodeFailure(thrown, [], 0);
}

/** The driver wraps what its fetch throws, and what keeps it from calling it. */
function sourceOf(error: unknown): unknown {
  return look(() => (error instanceof Error && "sourceError" in error ? error.sourceError : error), undefined);
}
