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
 * Closes databases when Lambda ends the environment: the server gets its slots back at once instead of when it notices. To be awaited at the
 * top level of the handler's module, for Lambda sends SIGTERM only where an extension is registered, and takes registrations only while the
 * module is loaded. Costs a call to the Extensions API. Never rejects; elsewhere than on Lambda it does nothing.
 *
 * @example await closeOnShutdown(db);
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
  const registered = await fetch(`${extension}/register`, {
    method: "POST",
    headers: { "Lambda-Extension-Name": "warmline" },
    body: JSON.stringify({ events: [] }),
  });
  const id = registered.headers.get("lambda-extension-identifier");
  // says that it is ready; with no event registered it is never answered
  if (id !== null) fetch(`${extension}/event/next`, { headers: { "Lambda-Extension-Identifier": id } }).catch(() => {});
}
