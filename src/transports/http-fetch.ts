import { causeOf } from "./http-failure.ts";
import type { HttpAnswer, HttpRequest, SendRequest } from "./http-request.ts";
import { readOpeningFailure } from "./network-failure.ts";

/** The runtime's own `fetch`. */
export type Fetch = (url: string, request: HttpRequest) => Promise<HttpAnswer>;

/**
 * Posts with `fetch` where its failures have codes. It hides when a request was given to a connection, so `not-sent` is only what says itself
 * that there was none; every other failure is handed on as it came.
 */
export function postWith(fetch: Fetch): SendRequest {
  return async (url, request) => {
    try {
      return await fetch(url, request);
    } catch (error) {
      throw readOpeningFailure(causeOf(error), { where: new URL(url).host }) ?? error;
    }
  };
}
