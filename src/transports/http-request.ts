/** One POST as it is sent. */
export interface HttpRequest {
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
  /** A redirect is an answer: followed, it would carry the connection string away. */
  readonly redirect: "manual";
  /** Aborted at the call's deadline: the only limit there is. */
  readonly signal: AbortSignal;
}

/** The part of a Response that is read. */
export interface HttpAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly type?: string;
  readonly body?: { cancel(): Promise<void> } | null;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/** Posts, as `fetch` does. May reject with a WarmlineError whose fate is then believed. */
export type SendRequest = (url: string, request: HttpRequest) => Promise<HttpAnswer>;
