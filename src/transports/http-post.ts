import type { Dispatcher } from "undici";
import { responseTooLarge } from "./http-broken.ts";
import type { HttpAnswer, HttpRequest } from "./http-request.ts";
import { readNetworkCode, unreachable } from "./network-failure.ts";

/** What `fetch` adds by itself; some of what stands before an endpoint turns nameless clients away. */
const ownHeaders = { "user-agent": "warmline", "content-type": "application/json" };

/**
 * Posts over `dispatcher`, at most once: a request that its client would write again by itself (HTTP/2 after GOAWAY or REFUSED_STREAM) is
 * ended instead.
 *
 * @returns the answer with its whole body; redirects are answers
 * @throws ConnectionError with the fate `not-sent` for every failure before the request is given to a connection; later ones as they come,
 * and whatever their code is, they say nothing about what was sent
 */
export function postOver(
  dispatcher: Dispatcher,
  url: string,
  { headers, body, signal, maxResponseBytes }: HttpRequest,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { host, pathname, search } = new URL(url);
    let chunks: Buffer[] = [];
    let left = maxResponseBytes;
    let status = 0;
    let controller: Dispatcher.DispatchController | undefined;
    const fail = (error: unknown) => {
      signal.removeEventListener("abort", abort);
      if (controller === undefined) reject(readNetworkCode(error, { where: host }) ?? unreachable(error, { where: host }));
      else reject(error);
    };
    /** In a queue it cannot be taken back: it is refused when its turn comes. */
    const abort = () => {
      if (controller === undefined) fail(signal.reason);
      else controller.abort(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    dispatcher.dispatch(
      { method: "POST", path: pathname + search, headers: { ...ownHeaders, ...headers }, body },
      {
        onRequestStart(begun) {
          // thrown, it ends this request alone; aborted, it would take a connection with it that others wait for
          if (controller !== undefined) throw new Error("The endpoint did not take the request.");
          signal.throwIfAborted();
          controller = begun;
        },
        onResponseStart(_, code) {
          status = code;
        },
        onResponseData(begun, chunk) {
          left -= chunk.length;
          if (left >= 0) {
            chunks.push(chunk);
            return;
          }
          signal.removeEventListener("abort", abort);
          chunks = [];
          const tooLarge = responseTooLarge(maxResponseBytes);
          resolve(answerOf(status, () => Promise.reject(tooLarge)));
          begun.abort(tooLarge);
        },
        onResponseEnd() {
          signal.removeEventListener("abort", abort);
          const text = async () => Buffer.concat(chunks).toString("utf8");
          // the connection is free a turn of the event loop later: who is answered first would open another for the next call
          queueMicrotask(() => setImmediate(resolve, answerOf(status, text)));
        },
        onResponseError(_, error) {
          fail(error);
        },
      },
    );
  });
}

function answerOf(status: number, text: HttpAnswer["text"]): HttpAnswer {
  return { ok: status >= 200 && status < 300, status, text, discard: () => {} };
}
