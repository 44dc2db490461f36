import type { Context } from "hono";
import type { Result } from "warmline";

/** How a result came to this process, as warmline tells it. */
export type Via = Result["via"];

/** What the application keeps for the length of one request. */
export interface AppEnv {
  Variables: {
    /** The request's number within this instance, 1 for the first. */
    invocation: number;
    /** The connection that served the request's last statement; undefined when none was sent. */
    via: Via | undefined;
  };
}

/** Notes which connection served this request, for its headers, and hands the result on. */
export function noted<T extends { readonly via: Via }>(c: Context<AppEnv>, result: T): T {
  c.set("via", result.via);
  return result;
}
