import type { Database } from "../entry/node.ts";
import { collectEmf, type EmfOptions } from "./emf.ts";
import { callsEndOf, type LambdaContext, leftToReplyMs, readContext } from "./lambda-invocation.ts";

export type { EmfOptions } from "./emf.ts";

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

/**
 * Closes databases, and what is kept, when Lambda ends the environment: the server gets its slots back at once instead of when it notices. To be called while the
 * handler's module is loaded, for Lambda sends SIGTERM only where an extension is registered, and takes registrations only until the function
 * asks for its first event. The request leaves at once, ahead of that; an ES module that awaits it is sure of it, CommonJS has nothing to await
 * with. Costs a call to the Extensions API. Never rejects; elsewhere than on Lambda it does nothing.
 *
 * @example closeOnShutdown(db);
 */
export async function closeOnShutdown(...databases: readonly Pick<Database, "close">[]): Promise<void> {
  const { AWS_LAMBDA_RUNTIME_API: api } = process.env;
  if (api === undefined) return;
  process.once("SIGTERM", () => {
    Promise.allSettled(databases.map((db) => db.close())).finally(() => process.exit(0));
  });
  // without the extension the environment ends as it does for everybody: unannounced
  await register(`http://${api}/2020-01-01/extension`).catch(() => {});
}

/**
 * Registers for no event at all: that alone makes Lambda send SIGTERM, and leaves the function 300 ms and more to end.
 * Source: AWS Lambda documentation, "Extensions API" and "Lambda execution environment".
 */
async function register(extension: string): Promise<void> {
  const registered = ask(`${extension}/register`, {
    method: "POST",
    headers: { "Lambda-Extension-Name": "warmline" },
    body: '{"events":[]}',
  });
  const id = (await registered)["lambda-extension-identifier"];
  // says that it is ready; with no event registered it is never answered
  if (typeof id === "string") ask(`${extension}/event/next`, { headers: { "Lambda-Extension-Identifier": id } }).catch(() => {});
}

interface Asked {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Resolves with the headers of the answer. Without `fetch`, which would first load undici: what has to be there first leaves too late then. */
function ask(url: string, { body, ...options }: Asked): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    // not imported: a handler that is bundled for the edge has no such module
    const { request } = process.getBuiltinModule("node:http");
    const asking = request(url, { ...options, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.headers);
    });
    asking.on("error", reject).end(body);
  });
}
