import type { Database } from "../entry/node.ts";
import { collectEmf, type EmfOptions } from "./emf.ts";
import { callsEndOf, type LambdaContext, leftToReplyMs, readContext } from "./lambda-invocation.ts";

export type { EmfOptions } from "./emf.ts";
export { closeOnShutdown } from "./lambda-shutdown.ts";

/** What a wrapped handler does besides. */
export interface LambdaOptions {
  /** Writes metrics of the database as one line of the log per invocation, from which CloudWatch makes metrics. Default: none. */
  readonly emf?: EmfOptions;
}

/**
 * A handler whose calls of any database end in time for it to answer: half a second before the invocation does, with DEADLINE_EXCEEDED, and
 * cancelled at the server. A shorter deadline of a call's own holds; a longer one, and the default, are cut. And whose connection is kept or
 * ended after each invocation, as the setting `release` says; ending it costs a connect per invocation, and is for many environments on few
 * slots and no pooler between. Takes handlers that return a value or a promise, and streaming ones, wrapped before or after
 * `awslambda.streamifyResponse`. One that wants a callback is refused by the runtime, or rejects with a UsageError CALLBACK_HANDLER.
 *
 * @throws RangeError for an `emf.namespace` CloudWatch does not take
 * @example export const handler = lambdaHandler(db, async (event) => …);
 */
export function lambdaHandler<Args extends readonly unknown[], Reply>(
  db: Database,
  handler: (...args: Args) => Promise<Reply> | Reply,
  { emf }: LambdaOptions = {},
): (...args: Args) => Promise<Reply> {
  const writeMetrics = emf && collectEmf(db, emf, { write, now: Date.now, functionName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? "local" });
  const wrapped = async (...args: Args): Promise<Reply> => {
    const context = readContext(handler, args);
    try {
      return await db.scope({ waitUntil() {}, callsEndAt: callsEndOf(context) }, async () => handler(...args));
    } finally {
      // before the first call there is nothing to end, and the plan may not be there to be read
      if (db.stats().transport !== null && db.plan.release === "after-invocation") await releaseInTime(db, context);
      writeMetrics?.();
    }
  };
  // by these the runtime tells whether a handler streams, and whether it wants a callback
  return Object.assign(Object.defineProperty(wrapped, "length", { value: handler.length }), handler);
}

/** Ends what nobody uses; a goodbye that is not answered does not hold the reply. */
async function releaseInTime(db: Database, context: LambdaContext | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, leftToReplyMs(context));
  });
  await Promise.race([db.release(), limit]);
  clearTimeout(timer);
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
