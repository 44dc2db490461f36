import type { PostgresMessage } from "../support/postgres-messages.ts";
import type { Wire } from "../support/wire.ts";

/** What has passed a wire since the watch began. */
export interface Watch {
  seen(): boolean;
  stop(): void;
}

/** Watches for a message; whether it passed is the proof that a fault struck. */
export function watch(wire: Wire, matches: (message: PostgresMessage) => boolean): Watch {
  let seen = false;
  const stop = wire.onMessage((message) => {
    seen ||= matches(message);
  });
  return { seen: () => seen, stop };
}

/** Matches the server's ErrorResponse with this SQLSTATE. */
export function isServerError(sqlState: string): (message: PostgresMessage) => boolean {
  return ({ from, type, body }) => from === "server" && type === "E" && body.includes(`C${sqlState}\0`);
}

/** Matches the parameters of a write: its id among them. */
export function carries(id: string): (message: PostgresMessage) => boolean {
  return ({ from, type, body }) => from === "client" && type === "B" && body.includes(id);
}
