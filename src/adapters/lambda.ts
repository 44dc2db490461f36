import type { Database } from "../entry/node.ts";
import { collectEmf, type EmfOptions } from "./emf.ts";

export type { EmfOptions } from "./emf.ts";

/** What a wrapped handler does besides. */
export interface LambdaOptions {
  /** Writes metrics of the database as one line of the log per invocation, from which CloudWatch makes metrics. Default: none. */
  readonly emf?: EmfOptions;
}

/**
 * A handler whose connection is kept or ended after each invocation, as the setting `release` says. Ending it costs a connect per
 * invocation; it is for many environments on few slots and no pooler between. Wraps handlers of any form, streaming ones too.
 *
 * @throws RangeError for an `emf.namespace` CloudWatch does not take
 * @example export const handler = lambdaHandler(db, async (event) => …);
 */
export function lambdaHandler<Args extends readonly unknown[], Reply>(
  db: Database,
  handler: (...args: Args) => Promise<Reply>,
  { emf }: LambdaOptions = {},
): (...args: Args) => Promise<Reply> {
  const writeMetrics = emf && collectEmf(db, emf, { write, now: Date.now, functionName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? "local" });
  return async (...args) => {
    try {
      return await handler(...args);
    } finally {
      // before the first call there is nothing to end, and the plan may not be there to be read
      if (db.stats().transport !== null && db.plan.release === "after-invocation") await db.release();
      writeMetrics?.();
    }
  };
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Closes databases when Lambda ends the environment: the server gets its slots back at once instead of when it notices. To be called while the
 * handler's module is loaded, for Lambda sends SIGTERM only where an extension is registered, and takes registrations only until the function
 * asks for its first event. The request leaves at once, ahead of that; an ES module that awaits it is sure of it, CommonJS has nothing to await
 * with. Costs a call to the Extensions API. Never rejects; elsewhere than on Lambda it does nothing.
 *
 * @example closeOnShutdown(db);
 */
export async function closeOnShutdown(...databases: readonly Database[]): Promise<void> {
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
