import type pg from "pg";
import { withFateOf, withPgFate } from "./pg-failure.ts";

/** What pg's client does not show in its types. */
interface Queryable {
  readonly _queryable: boolean;
  readonly _ending: boolean;
}

type Query = (...args: readonly unknown[]) => unknown;
type Told = (error: unknown, answer?: unknown) => void;

/** Has pg send a query by itself, and gives what it fails with its fate. What submits itself is told by itself. */
export function sendByPg(client: pg.ClientBase, query: Query, args: readonly unknown[]): unknown {
  const [config] = args;
  if (typeof (config as { submit?: unknown } | undefined)?.submit === "function") return Reflect.apply(query, client, args);
  const { _queryable, _ending } = client as unknown as Queryable;
  const isSent = _queryable && !_ending;
  return tellAs((error) => (isSent ? withPgFate(error, config) : withFateOf(error, "not-sent")), { self: client, query, args });
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
