import type pg from "pg";
import { endsConnection } from "../../errors/sqlstate.ts";
import { mayCommitBlock } from "../../syntax/self-committing.ts";
import { isQuiet } from "./client-state.ts";
import { withFateOf, withPgFate } from "./pg-failure.ts";

/** What pg's client does not show in its types. */
interface Queryable {
  /** Not once its connection has failed. */
  readonly _queryable: boolean;
  readonly _ending: boolean;
}

type Query = (...args: readonly unknown[]) => unknown;
type Told = (error: unknown, answer?: unknown) => void;

/** Has pg send a query by itself, and gives what it fails with its fate. What submits itself is told by itself. */
export function sendByPg(client: pg.ClientBase, query: Query, args: readonly unknown[]): unknown {
  const [config] = args;
  if (typeof (config as { submit?: unknown } | undefined)?.submit === "function") return Reflect.apply(query, client, args);
  const state = client as unknown as Queryable & pg.PoolClient;
  const isSent = state._queryable && !state._ending && isQuery(config);
  const isInBlock = isSent && isQuiet(client) && /[TE]/.test(state.getTransactionStatus() ?? "");
  const fateOf = (error: unknown) => {
    if (!isSent) return withFateOf(error, "not-sent");
    // a block that is lost with its connection is undone
    const isLost = !state._queryable || endsConnection((error as Partial<pg.DatabaseError> | null)?.severity);
    const text = textOf(config);
    return isInBlock && isLost && !mayCommitBlock(text) ? withFateOf(error, "refused", true) : withPgFate(error, text);
  };
  return tellAs(fateOf, { self: client, query, args });
}

/** The text of what `query` was given; empty where there is none. */
function textOf(config: unknown): string {
  const { text = config } = (config ?? {}) as { readonly text?: unknown };
  return typeof text === "string" ? text : "";
}

/** Whether pg has something to send: it refuses a config without a text or a name by itself. */
function isQuery(config: unknown): boolean {
  const { text = config, name } = (config ?? {}) as { readonly text?: unknown; readonly name?: unknown };
  return typeof text === "string" || typeof name === "string";
}

/** Calls one of pg's `query`, and changes what it fails with; what it throws was never sent. */
export function tellAs(
  change: (error: unknown) => unknown,
  { self, query, args }: { readonly self: object; readonly query: Query; readonly args: readonly unknown[] },
): unknown {
  const at = args.findLastIndex((arg) => typeof arg === "function");
  const callback = args[at] as Told | undefined;
  const called: Told = (error, answer) => callback?.(error && change(error), answer);
  try {
    const returned = Reflect.apply(query, self, callback === undefined ? args : args.with(at, called));
    if (callback !== undefined || returned === undefined) return returned;
    return (returned as Promise<unknown>).then(undefined, (error) => {
      throw change(error);
    });
  } catch (thrown) {
    throw withFateOf(thrown, "not-sent");
  }
}
