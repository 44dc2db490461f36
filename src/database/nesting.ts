import { UsageError } from "../errors/errors.ts";

/** A callback of a transaction or session that was begun, or a request's handler, and the one around it. */
export interface OpenCallback {
  /** Undefined for a request's handler. */
  readonly database: object | undefined;
  /** What its queries go through. */
  readonly handle: "tx" | "session" | "db";
  readonly outer: OpenCallback | undefined;
  /** When the calls inside have to be over, milliseconds since the epoch; undefined where nobody said. */
  readonly callsEndAt: number | undefined;
  /** What was made inside may live on, a timer or a promise that is kept, and is inside no more. */
  over: boolean;
}

/** The part of AsyncLocalStorage that is needed. */
export interface CallbackContext {
  getStore(): OpenCallback | undefined;
  run<T>(store: OpenCallback, work: () => T): T;
}

/** Runs a callback where calls on its database itself are refused. */
export type Inside = <R>(callback: () => R) => R;

/** Runs `work`, whose callback is open until all of it has ended. */
export async function runOpen<T>(
  context: CallbackContext | undefined,
  { database, handle }: Pick<OpenCallback, "database" | "handle">,
  work: (inside: Inside) => Promise<T>,
): Promise<T> {
  if (context === undefined) return work((callback) => callback());
  const open: OpenCallback = { database, handle, outer: innermost(context.getStore()), callsEndAt: undefined, over: false };
  try {
    return await work((callback) => context.run(open, callback));
  } finally {
    open.over = true;
  }
}

/** The open callback of a database's own that a piece of code runs inside. */
export function openAround(context: CallbackContext | undefined, database: object): OpenCallback | undefined {
  let open = innermost(context?.getStore());
  while (open !== undefined && open.database !== database) open = innermost(open.outer);
  return open;
}

/**
 * Refuses a call on a database from inside an open callback of its own. Gives when the calls of the request around it have to be over;
 * undefined outside of one, or where nobody said. @throws UsageError NESTED_QUERY
 */
export function admitCall(context: CallbackContext | undefined, database: object): number | undefined {
  let callsEndAt: number | undefined;
  for (let open = innermost(context?.getStore()); open !== undefined; open = innermost(open.outer)) {
    const { handle } = open;
    if (open.database === database) {
      throw new UsageError(`This call goes around its ${handle === "tx" ? "transaction" : handle}. Use ${handle}.`, {
        code: "NESTED_QUERY",
      });
    }
    if (open.callsEndAt !== undefined) callsEndAt = Math.min(callsEndAt ?? open.callsEndAt, open.callsEndAt);
  }
  return callsEndAt;
}

/** Those that are over are left behind, for one made inside another may be made inside a third, and so on. */
export function innermost(open: OpenCallback | undefined): OpenCallback | undefined {
  let found = open;
  while (found?.over) found = found.outer;
  return found;
}
