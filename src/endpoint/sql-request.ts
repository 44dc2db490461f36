import type { IncomingMessage } from "node:http";
import { parseConnectionString } from "./connection-string.ts";
import { RowsTooLargeError, type ServerResult } from "./exchange.ts";
import { resultJson } from "./json-result.ts";
import { type Payload, parsePayload, type RequestedQuery, readBody } from "./request-body.ts";
import { queryCancelled, RequestFailure, responseTooLarge, statementFailure } from "./request-failure.ts";
import { batchResponseHeaders, beginStatement, type RequestModes, readModes } from "./request-headers.ts";
import type { Lease, ServerPools } from "./server-pools.ts";

/** What a request is answered with. */
export interface SqlContext {
  readonly pools: ServerPools;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
  /** Aborted when the client goes away or the endpoint stops: the running statement is then cancelled on the server. */
  readonly signal: AbortSignal;
}

/** A successful answer; `body` is JSON text. */
export interface SqlAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers one `POST /sql`. Rejects with a RequestFailure, and leaves nothing of the request behind on the connection it used. */
export async function answerSql(request: IncomingMessage, context: SqlContext): Promise<SqlAnswer> {
  const header = request.headers["neon-connection-string"];
  const login = parseConnectionString(typeof header === "string" ? header : undefined);
  const modes = readModes(request.headers);
  const payload = parsePayload(await readBody(request, context.maxRequestBytes));
  const lease = await context.pools.lease(login, context.signal).catch((error: unknown) => {
    throw context.signal.aborted ? queryCancelled() : error;
  });
  const work = { payload, modes, maxBytes: context.maxResponseBytes, signal: context.signal };
  try {
    const body = await untilAborted(context.signal, lease, () => execute(lease, work));
    await lease.giveBack();
    return { headers: payload.kind === "batch" ? batchResponseHeaders(modes) : {}, body };
  } catch (error) {
    if (error instanceof RowsTooLargeError) {
      await lease.cancel();
      lease.end();
      throw responseTooLarge(context.maxResponseBytes);
    }
    if (context.signal.aborted) lease.end();
    else await lease.giveBack();
    throw error instanceof RequestFailure ? error : statementFailure(error);
  }
}

interface Work {
  readonly payload: Payload;
  readonly modes: RequestModes;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

async function execute(lease: Lease, work: Work): Promise<string> {
  if (work.payload.kind === "single") {
    const { query } = work.payload;
    const [json = ""] = await write(lease, await lease.run([query], work.maxBytes), [query], work);
    return json;
  }
  const { queries } = work.payload;
  const [, ...results] = await lease.run([{ text: beginStatement(work.modes), values: [] }, ...queries], work.maxBytes);
  const body = `{"results":[${(await write(lease, results, queries, work)).join(",")}]}`;
  if (work.signal.aborted) throw queryCancelled();
  await lease.run([{ text: "COMMIT", values: [] }], work.maxBytes);
  return body;
}

/** Writes results as JSON. A batch's are written, and found small enough, before its COMMIT is sent. */
async function write(lease: Lease, results: readonly ServerResult[], queries: readonly RequestedQuery[], work: Work): Promise<string[]> {
  const { rawText, arrayMode } = work.modes;
  if (!rawText) {
    const typeIds = results.flatMap(({ fields }) => fields.map(({ dataTypeID }) => dataTypeID));
    await lease.types.learn(typeIds, async (statement) => firstOf(await lease.run([statement], Number.POSITIVE_INFINITY)));
  }
  let bytes = 0;
  return results.map((result, index) => {
    const json = resultJson(result, { rawText, arrayMode: queries[index]?.arrayMode ?? arrayMode, arrayType: lease.types.arrayType });
    bytes += Buffer.byteLength(json);
    if (bytes > work.maxBytes) throw responseTooLarge(work.maxBytes);
    return json;
  });
}

function firstOf(results: readonly ServerResult[]): ServerResult {
  return results[0] ?? { fields: [], rows: [], command: null, rowCount: null };
}

/**
 * Runs `work`, and when the signal is aborted, cancels it on the server. Once aborted, only the end of the cancelling settles the promise: a
 * CancelRequest still on its way would hit the connection's next statement.
 */
function untilAborted<T>(signal: AbortSignal, lease: Lease, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(queryCancelled());
    const cancel = () => void lease.cancel().finally(() => reject(queryCancelled()));
    signal.addEventListener("abort", cancel, { once: true });
    const settle = (outcome: () => void) => {
      if (signal.aborted) return;
      signal.removeEventListener("abort", cancel);
      outcome();
    };
    work().then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
