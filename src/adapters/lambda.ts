import type { Database } from "../entry/node.ts";

/** How a handler on Lambda lives with its database. */
export interface LambdaOptions {
  /**
   * Registers an internal extension, so that Lambda sends SIGTERM before it ends the environment, and closes the database on it: the server
   * gets its slot back at once instead of when it notices. Costs a call to the Extensions API during init. Default false.
   */
  readonly closeOnShutdown?: boolean | undefined;
}

/**
 * A handler whose connection is kept or ended after each invocation, as the setting `release` says. Ending it costs a connect per
 * invocation; it is for many environments on few slots and no pooler between. Wraps handlers of any form, streaming ones too.
 *
 * @example export const handler = lambdaHandler(db, async (event) => …);
 */
export function lambdaHandler<Args extends readonly unknown[], Reply>(
  db: Database,
  handler: (...args: Args) => Promise<Reply>,
  { closeOnShutdown = false }: LambdaOptions = {},
): (...args: Args) => Promise<Reply> {
  if (closeOnShutdown) void closeOnSigterm(db);
  return async (...args) => {
    try {
      return await handler(...args);
    } finally {
      if (db.plan.release === "after-invocation") await db.release();
    }
  };
}

/**
 * Registers for no event at all: that alone makes Lambda send SIGTERM, and leaves the function 300 ms and more to end.
 * Source: AWS Lambda documentation, "Extensions API" and "Lambda execution environment".
 */
async function closeOnSigterm(db: Database): Promise<void> {
  const { AWS_LAMBDA_RUNTIME_API: api } = process.env;
  if (api === undefined) return;
  process.once("SIGTERM", () => {
    db.close().finally(() => process.exit(0));
  });
  const extension = `http://${api}/2020-01-01/extension`;
  try {
    const registered = await fetch(`${extension}/register`, {
      method: "POST",
      headers: { "Lambda-Extension-Name": "warmline" },
      body: JSON.stringify({ events: [] }),
    });
    const id = registered.headers.get("lambda-extension-identifier");
    // says that it is ready; with no event registered it is never answered
    if (id !== null) await fetch(`${extension}/event/next`, { headers: { "Lambda-Extension-Identifier": id } });
  } catch {
    // without the extension the environment ends as it does for everybody: unannounced
  }
}
