import { afterAll, beforeAll, inject } from "vitest";
import { type Endpoint, type EndpointOptions, startEndpoint } from "../../src/endpoint/endpoint.ts";

/** An answer of the endpoint, with its JSON body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a test changes in a request. */
export interface PostOptions {
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** An endpoint that lives as long as the surrounding `describe` or file. */
export function useEndpoint(options: Partial<EndpointOptions> = {}) {
  let endpoint: Endpoint | undefined;
  const running = () => {
    if (endpoint === undefined) throw new Error("The endpoint is not running.");
    return endpoint;
  };
  beforeAll(async () => {
    endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0, ...options });
  });
  afterAll(async () => {
    await endpoint?.stop();
  });
  return {
    running,
    /** Posts a body to `/sql` as the test database's owner. */
    post: (body: unknown, post: PostOptions = {}) => postTo(running(), body, post),
    /** The result of one query. */
    async query(text: string, params: readonly unknown[] = [], headers: Readonly<Record<string, string>> = {}) {
      const { status, body } = await postTo(running(), { query: text, params }, { headers });
      if (status !== 200) throw new Error(`HTTP ${status}: ${JSON.stringify(body)}`);
      return body as { rows: unknown[]; fields: { name: string; dataTypeID: number }[]; command: string; rowCount: number | null };
    },
  };
}

/** Posts `body` to the endpoint's `/sql`; text goes as it is. */
export async function postTo(endpoint: Endpoint, body: unknown, options: PostOptions = {}): Promise<Answer> {
  const response = await fetch(`${endpoint.url}/sql`, {
    method: "POST",
    headers: { "Neon-Connection-String": options.url ?? inject("postgres").url, ...options.headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer["body"] };
}

/** The test database's URL with some of its parts changed. */
export function databaseUrl(change: (url: URL) => void): string {
  const url = new URL(inject("postgres").url);
  change(url);
  return url.href;
}

/** Asks again until `check` holds, for what another process does in its own time. Rejects after twenty seconds. */
export async function eventually<T>(ask: () => Promise<T>, check: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const value = await ask();
    if (check(value)) return value;
    if (Date.now() > deadline) throw new Error(`It did not happen; last seen: ${JSON.stringify(value)}`);
  }
}

export const times = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Asks a little later, for what happens in this process. */
export const soon =
  <T>(ask: () => T) =>
  async () => {
    await pause(5);
    return ask();
  };
