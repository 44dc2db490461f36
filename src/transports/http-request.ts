/** One POST as it is sent. */
export interface HttpRequest {
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
  /** A redirect is an answer: followed, it would carry the connection string away. */
  readonly redirect: "manual";
  /** Aborted at the call's end, which bounds the answer's body too. */
  readonly signal: AbortSignal;
  /** No more of the answer's body is read, bytes as they are once decompressed. */
  readonly maxResponseBytes: number;
}

/** An answer, of which only the head has been judged. */
export interface HttpAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly type?: string;
  /** The body, whole. Rejects with RESPONSE_TOO_LARGE where that would be more than may be read; the rest is left unread. */
  text(): Promise<string>;
  /** Leaves the body unread. */
  discard(): void;
}

/** Posts, as `fetch` does. May reject with a WarmlineError whose fate is then believed. */
export type SendRequest = (url: string, request: HttpRequest) => Promise<HttpAnswer>;
