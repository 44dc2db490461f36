import type { DatabaseEvent, Watched } from "../../../src/dashboard/watched.ts";

/** A database that tells what a test lets it tell. */
export interface Teller extends Watched {
  tell(event: DatabaseEvent): void;
}

export function makeTeller(): Teller {
  const listeners = new Set<(event: DatabaseEvent) => void>();
  return {
    get plan(): never {
      throw new Error("DATABASE_URL is missing");
    },
    stats: () => ({ total: 1, breaker: "closed" }) as ReturnType<Watched["stats"]>,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell: (event) => listeners.forEach((listener) => void listener(event)),
  };
}

type QueryEvent = Extract<DatabaseEvent, { type: "query" }>;

/** A call that came through over this connection; null for HTTP. */
export function call(connectionId: string | null, reused: boolean | null, more: Partial<QueryEvent> = {}): QueryEvent {
  return {
    type: "query",
    operation: "query",
    within: null,
    texts: ["select 'canary-7q'"],
    startedAt: 1_000,
    durationMs: 1.234,
    failure: null,
    attempts: 1,
    via: { transport: connectionId === null ? "http" : "pool", connectionId, reused, attempts: 1 },
    rowCount: 1,
    returnedRows: 1,
    ...more,
  };
}

/** A call that failed with this code. */
export function failed(code: string, excerpt: string | null = null): QueryEvent {
  return call(null, null, { via: null, failure: { code, fate: "unknown", sqlState: null, message: `${code} happened`, excerpt } });
}

/** What a server-sent event says. */
export function said(bytes: Uint8Array): { readonly name: string; readonly id: string | undefined; readonly data: Record<string, never> } {
  const text = new TextDecoder().decode(bytes);
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1];
  return { name: field("event") ?? "", id: field("id"), data: JSON.parse(field("data") ?? "null") };
}
