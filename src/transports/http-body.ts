import { responseTooLarge } from "./http-failure.ts";
import type { HttpRequest, SendRequest } from "./http-request.ts";

/** What `fetch` is told. */
export type FetchInit = Omit<HttpRequest, "maxResponseBytes">;

/** The part of a Response that is read. */
export interface FetchAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly type: string;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The runtime's own `fetch`. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

/** Posts with `fetch`, and counts the body as it comes: it may never end. The signal it was given reaches the body too. */
export function sendBy(fetch: Fetch): SendRequest {
  return async (url, { maxResponseBytes, ...init }) => {
    const { ok, status, type, body } = await fetch(url, init);
    const discard = () => void body?.cancel().catch(() => {});
    return { ok, status, type, text: async () => (body === null ? "" : readText(body.getReader(), maxResponseBytes)), discard };
  };
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let left = maxBytes;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    left -= value.length;
    if (left < 0) {
      reader.cancel().catch(() => {});
      throw responseTooLarge(maxBytes);
    }
    text += decoder.decode(value, { stream: true });
  }
}
