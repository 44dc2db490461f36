import { type Fetch, sendBy } from "./http-body.ts";
import { causeOf } from "./http-broken.ts";
import type { SendRequest } from "./http-request.ts";
import { readOpeningFailure } from "./network-failure.ts";

/**
 * Posts with `fetch` where its failures have codes. It hides when a request was given to a connection, so `not-sent` is only what says itself
 * that there was none; every other failure is handed on as it came.
 */
export function postWith(fetch: Fetch): SendRequest {
  const send = sendBy(fetch);
  return async (url, request) => {
    try {
      return await send(url, request);
    } catch (error) {
      throw readOpeningFailure(causeOf(error), { where: new URL(url).host }) ?? error;
    }
  };
}
