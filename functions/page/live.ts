import type { Hono } from "hono/tiny";

/** A picture that moves, for `GET /` to show above the rest where somebody looks after it: the local demo does. */
export interface LivePicture {
  /** What it asks for, below `/live`. */
  readonly routes: Hono;
  /** A page around it, of HTML. */
  page(parts: { readonly below: string; readonly style: string }): Promise<{
    readonly html: string;
    readonly contentSecurityPolicy: string;
  }>;
}
