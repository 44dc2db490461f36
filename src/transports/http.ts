import { neon, neonConfig } from "@neondatabase/serverless";
import { type ConnectionError, isWarmlineError } from "../errors/errors.ts";
import { decodeFailure, plainField } from "./exchange.ts";
import { badResponse, fetchFailure, statusFailure } from "./http-failure.ts";
import type { BatchOptions, CallOptions, Field, Isolation, Result, Session, Statement, Transport } from "./transport.ts";

/** Opens a session beside the HTTP transport; see websocket.ts. */
export type OpenSession = <T>(use: (session: Session) => Promise<T>, call: CallOptions) => Promise<T>;

/** What the HTTP transport is made of. */
export interface HttpTransportOptions {
  /** The full address statements are posted to. */
  readonly sqlUrl: string;
  /** The connection string without its password, already judged: the driver would echo a broken one. */
  readonly connectionUrl: string;
  /** Called for every POST; null where none is set. */
  readonly password: (() => string | Promise<string>) | null;
  readonly fetch: typeof fetch;
  /** Absent where there is no WebSocket. */
  readonly openSession: OpenSession | undefined;
  readonly sessionStats: () => { readonly connects: number; readonly discarded: number };
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
  const run = neon(options.connectionUrl, {
    fullResults: true,
    disableWarningInBrowsers: true,
    ...(options.password && { password: options.password }),
  });

  /** One POST: the driver builds the request and decodes the answer, the status and the transport's failures are judged here. */
  function post<T>(
    make: () => DriverQuery,
    context: { readonly statements: readonly Statement[]; readonly call: CallOptions; readonly batch: boolean },
  ): Promise<T> {
    const { cancellation } = context.call;
    if (cancellation.reason !== undefined) return Promise.reject(cancellation.reason("not-sent"));
    const signal = cancellation.signal();
    let stage: "before" | "sent" | "answered" = "before";
    const fetchAnswer = async (url: string, init: RequestInit) => {
      try {
        if (signal.aborted) throw signal.reason;
        stage = "sent";
        const response = await options.fetch(url, { ...init, redirect: "manual", signal });
        if (!response.ok) throw await statusFailure(response, context);
        const body = parseAnswer(await response.text(), context);
        stage = "answered";
        return { ok: true, status: response.status, json: async () => body };
      } catch (error) {
        if (cancellation.reason !== undefined) throw cancellation.reason(stage === "before" ? "not-sent" : "unknown");
        throw isWarmlineError(error) ? error : fetchFailure(error, options.sqlUrl);
      }
    };
    return withDriverSettings({ fetchEndpoint: () => options.sqlUrl, fetchFunction: fetchAnswer }, () =>
      make().then(
        (value) => value as T,
        (error: unknown) => {
          throw ownError(error) ?? (stage === "answered" ? decodeFailure() : fetchFailure(error, options.sqlUrl));
        },
      ),
    );
  }

  async function batch(statements: readonly Statement[], call: BatchOptions): Promise<Result[]> {
    const { isolation, readOnly, deferrable } = call.mode;
    const results = await post<DriverResult[]>(
      () =>
        run.transaction(statements.map((statement) => driverQuery(statement, call)) as never, {
          ...(isolation && { isolationLevel: isolationNames[isolation] }),
          ...(readOnly !== undefined && { readOnly }),
          ...(deferrable !== undefined && { deferrable }),
        }) as unknown as DriverQuery,
      { statements, call, batch: true },
    );
    return results.map((result) => toResult(result, call));
  }

  const driverQuery = ({ text, values }: Statement, call: CallOptions) =>
    run.query(text, values as (string | null)[], { arrayMode: call.rowMode === "array", fullResults: true, types: call.parsers });

  return {
    name: "http",
    can: { session: options.openSession !== undefined, cancel: true },
    async query(statement, call) {
      if (call.readOnly) return (await batch([statement], { ...call, mode: { readOnly: true } }))[0] as Result;
      const context = { statements: [statement], call, batch: false };
      return toResult(await post<DriverResult>(() => driverQuery(statement, call) as unknown as DriverQuery, context), call);
    },
    batch,
    session: (use, call) => (options.openSession as OpenSession)(use, call),
    stats: () => ({ total: 0, idle: 0, waiting: 0, reuses: 0, probes: 0, ...options.sessionStats() }),
    async warmUp() {},
    async release() {},
    async [Symbol.asyncDispose]() {},
  };
}

const isolationNames = {
  "read uncommitted": "ReadUncommitted",
  "read committed": "ReadCommitted",
  "repeatable read": "RepeatableRead",
  serializable: "Serializable",
} as const satisfies Record<Isolation, string>;

function toResult({ rows, rowCount, command, fields }: DriverResult, { attempt }: CallOptions): Result {
  const via = { transport: "http", connectionId: null, reused: null, attempts: attempt } as const;
  return { rows, rowCount, command: command || null, fields: fields.map(plainField), via };
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
function parseAnswer(text: string, { batch, statements }: { readonly batch: boolean; readonly statements: readonly Statement[] }): unknown {
  let body: { readonly results?: unknown } | null;
  try {
    body = JSON.parse(text);
  } catch {
    throw badResponse();
  }
  const answers = batch ? body?.results : [body];
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

/** The driver wraps what its fetch throws. */
function ownError(error: unknown): ConnectionError | undefined {
  const source = error instanceof Error && "sourceError" in error ? error.sourceError : error;
  return isWarmlineError(source) ? source : undefined;
}
