import { type CallbackContext, innermost, type OpenCallback } from "../database/nesting.ts";
import type { RequestContext } from "../database/parts.ts";

/** Runs the handler of a request, whose calls have to be over when it says so, until what the handler gave has settled. */
export function runUntilEnd<T>(context: CallbackContext, { callsEndAt }: RequestContext, work: () => T): T {
  if (callsEndAt === undefined) return work();
  const open: OpenCallback = { database: undefined, handle: "db", outer: innermost(context.getStore()), callsEndAt, over: false };
  const end = () => {
    open.over = true;
  };
  try {
    const given = context.run(open, work);
    if (given instanceof Promise) given.then(end, end);
    else end();
    return given;
  } catch (thrown) {
    end();
    throw thrown;
  }
}
